// The console in a real Chromium, as it is used: an event that is posted shows in the stream and moves a trending
// card within a second; who signs in sees what the role may see, and no more; the keyboard is enough.
//
// console_live_test.mjs BINARY NPM MOVIELENS: NPM holds playwright-core. Exit code 77 (skipped) without it, without
// Chromium, or where BINARY was built without the console.
import assert from 'node:assert/strict';
import {browsers} from './browser.mjs';
import {admin, World} from './console.mjs';

const [binary, npm, movielens] = process.argv.slice(2);
const mostMilliseconds = 1000;
const password = 'a long sentence of hers';

/** In a page: when (Date.now()) `found`, a function's text, answered true, as a MutationObserver has seen it. */
const whenSeen = (page, found, argument) => page.evaluate(([text, given]) => new Promise((done) => {
  const test = new Function(`return ${text}`)();
  const look = () => {
    if (!test(given)) return;
    observer.disconnect();
    done(Date.now());
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, {childList: true, subtree: true, attributes: true, characterData: true});
  look();
}), [found.toString(), argument]);

async function moves(world, browser) {
  const complaints = [];
  const stream = await world.open(browser, {}, complaints);
  await world.signInByKey(stream, admin);
  await stream.getByText('live', {exact: true}).waitFor();
  await world.send('POST', '/v1/events?wait=applied', {type: 'like', data: {user: 'before', item: 'movie:1'}});
  const trending = await stream.context().newPage();
  await trending.goto(`${world.url}/console/`);
  await world.signInByKey(trending, admin);
  await trending.getByRole('link', {name: 'Trending'}).click();
  const card = trending.locator('[data-list=trending] [data-item="movie:1"]');
  await card.waitFor();
  const score = await card.getAttribute('data-score');

  const inStream = whenSeen(stream, () => [...document.querySelectorAll('td')].some((cell) => cell.textContent === 'somebody new'));
  const onCard = whenSeen(trending, (before) => {
    const now = document.querySelector('[data-list=trending] [data-item="movie:1"]');
    return now !== null && Number(now.dataset.score) > Number(before);
  }, score);
  const posted = Date.now();
  await world.send('POST', '/v1/events', {type: 'purchase', data: {user: 'somebody new', item: 'movie:1'}});
  const after = [await inStream - posted, await onCard - posted];
  console.log(`an event showed in the stream after ${after[0]} ms, on a trending card after ${after[1]} ms`);
  for (const milliseconds of after) assert.ok(milliseconds < mostMilliseconds, `after ${milliseconds} ms`);

  // A person's page knows it, too.
  await world.goTo(trending, 'person/somebody new');
  await trending.locator('.figure', {hasText: 'Events'}).getByText('1', {exact: true}).waitFor();
  const {title} = await world.send('GET', '/v1/items/movie:1');
  await trending.getByRole('link', {name: title}).first().waitFor();
  await trending.getByLabel('Algorithm of feed').selectOption('popular');
  await trending.waitForFunction(() => location.hash.includes('by=popular'));
  await trending.getByText('ranked by popular').waitFor();
  assert.deepEqual(complaints, []);
  await stream.context().close();
}

const navigation = async (page) => page.locator('nav a').allTextContents();
const everybodys = ['Stream', 'Trending', 'Item'];
const all = ['Stream', 'Trending', 'Person', 'Item', 'Experiments', 'Models', 'Cluster'];

async function roles(world, browser) {
  const complaints = [];
  const page = await world.open(browser, {}, complaints);
  const ann = await world.signUp('ann', password);
  await page.goto(`${world.url}/console/`);
  await page.getByRole('link', {name: 'Sign in'}).click();
  assert.deepEqual(await navigation(page), everybodys);
  await page.getByLabel('User name').fill('ann');
  await page.getByLabel('Password').fill('not hers');
  const signIn = page.locator('form', {hasText: 'Password'}).getByRole('button');
  await signIn.click();
  await page.getByRole('alert').waitFor();

  await page.getByLabel('Password').fill(password);
  await signIn.click();
  await page.getByRole('link', {name: 'Person'}).click();
  await page.locator('.figure', {hasText: 'Events'}).waitFor();
  assert.deepEqual(await navigation(page), ['Stream', 'Trending', 'Person', 'Item']);
  assert.equal(await page.getByRole('search').count(), 0, 'ann may search for others');
  assert.equal(await page.getByText('Dead letters').count(), 0);
  await world.goTo(page, 'cluster');
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  const held = () => page.evaluate(() => JSON.parse(sessionStorage.getItem('millrace-credential')).token);
  const token = await held();
  const refused = (path) => fetch(world.url + path, {headers: {Authorization: `Bearer ${token}`}});
  assert.equal((await refused('/v1/admin/cluster')).status, 403);
  assert.equal((await refused('/v1/users/1/profile')).status, 403);
  assert.equal((await refused(`/v1/users/${ann.id}/profile`)).status, 200);

  // Her password changes: whoever signed in with the old one is out, and is not asked for in vain.
  await world.goTo(page, 'stream');
  await world.send('PATCH', `/api/users/${ann.id}/`, {password: 'another sentence', old_password: password}, ann.token);
  await page.getByRole('link', {name: 'Person'}).click({noWaitAfter: true});
  await page.getByText('Your sign-in has ended').waitFor();
  assert.deepEqual(await navigation(page), everybodys);

  // Signing out ends what logging in has made, and not a key.
  await world.goTo(page, 'sign-in');
  await page.getByLabel('User name').fill('ann');
  await page.getByLabel('Password').fill('another sentence');
  await signIn.click();
  await page.getByRole('button', {name: 'Sign out'}).waitFor();
  const made = await held();
  const ended = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.getByRole('button', {name: 'Sign out'}).click();
  assert.equal((await ended).status(), 204);
  assert.equal((await fetch(`${world.url}/api/token/`, {headers: {Authorization: `Bearer ${made}`}})).status, 401);

  const {key} = await world.send('POST', '/v1/admin/keys', {name: 'reader', scopes: ['read']});
  await world.signInByKey(page, key);
  await page.getByRole('link', {name: 'Person'}).waitFor();
  assert.deepEqual(await navigation(page), ['Stream', 'Trending', 'Person', 'Item']);
  await page.getByRole('button', {name: 'Sign out'}).click();
  await page.getByRole('link', {name: 'Sign in'}).waitFor();
  assert.equal((await fetch(`${world.url}/v1/items?limit=1`, {headers: {Authorization: `Bearer ${key}`}})).status, 200);
  await world.signInByKey(page, 'not a key');
  await page.getByText('not known').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
}

// A sound server has no dead letters, so that the list is given here, as surfaces_admin_test.cc has it.
const letter = {partition: 'i0', offset: 17, time: '2026-01-31T12:00:00.000Z', user: 'u', record: 'AAE=',
  reason: 'the ruleset has no such interaction type', event: {id: 'e1', type: 'type.9999'}};

async function deadLetters(world, browser) {
  const complaints = [];
  const page = await world.open(browser, {}, complaints);
  const replayed = [];
  await page.route('**/v1/admin/dead-letters?*', (route) => route.fulfill({json: {items: [letter]}}));
  await page.route('**/v1/admin/dead-letters/replay', (route) => {
    replayed.push(route.request().postDataJSON());
    return route.fulfill({json: {replayed: 1, skipped: 0}});
  });
  await world.signInByKey(page, admin);
  await page.getByRole('button', {name: 'Look into i0:17'}).click();
  await page.getByText('"type": "type.9999"').waitFor();
  await page.getByRole('button', {name: 'Close'}).click();
  await page.getByRole('button', {name: 'Replay i0:17'}).click();
  await page.getByText('1 appended again').waitFor();
  await page.getByRole('button', {name: 'Replay all'}).click();
  await page.getByText('1 appended again').nth(1).waitFor();
  assert.deepEqual(replayed, [{partition: 'i0', offset: 17}, {}]);
  assert.deepEqual(complaints, []);
  await page.context().close();
}

/** Without a mouse: to the pages, into one, along its table. */
async function keyboard(world, browser) {
  const complaints = [];
  const page = await world.open(browser, {}, complaints);
  await world.signInByKey(page, admin);
  await page.getByRole('link', {name: 'Cluster'}).waitFor();
  await page.reload();
  await page.getByRole('link', {name: 'Cluster'}).waitFor();
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'To the page');
  for (let i = 0; i < 12 && await focused() !== 'Cluster'; ++i) await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Cluster');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, 'none', 'what has the focus is seen');
  await page.keyboard.press('Enter');
  await page.locator('table').first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Nodes');
  assert.deepEqual(complaints, []);
  await page.context().close();
}

const chromium = browsers(npm);
const world = await World.begin(binary, movielens);
let failed = 0, browser;
try {
  browser = await chromium.launch();
  for (const test of [moves, roles, deadLetters, keyboard]) await test(world, browser);
} catch (error) {
  console.log(error);
  failed = 1;
} finally {
  await browser?.close();
  world.end();
}
process.exit(failed);
