// Every page of the console in a real Chromium, with real data, at both widths and in both themes: no complaint
// in the browser's console, nothing asked of another host, no serious finding of axe-core, no page wider than the
// screen. The first page is small, and there soon.
//
// console_test.mjs BINARY NPM MOVIELENS SCREENSHOTS: NPM holds playwright-core and axe-core. Exit code 77 (skipped)
// without them, without Chromium, or where BINARY was built without the console.
import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {browsers, skip} from './browser.mjs';
import {admin, deadline, World} from './console.mjs';

const [binary, npm, movielens, screenshots] = process.argv.slice(2);
const widths = [360, 1440];
const themes = ['light', 'dark'];
const mostBytes = 300_000;
const mostMilliseconds = 1000;

// Each page, and what has to be on it before it is looked at.
const pages = [
  ['stream', ['.chart canvas', 'td .chip', '.empty']],
  // A line that stays level has no height: its picture is what is seen.
  ['trending', ['[data-list=trending] [data-item] svg:has(polyline)', '[data-list=rising] [data-item]']],
  ['person/1', ['.parts .stack span', '.bars li', 'table']],
  ['person', ['.empty']],
  ['item/movie:50', ['.chart canvas', '.cards .parts', '.item-head']],
  ['experiments', ['.verdict', '.interval', 'table']],
  ['models', ['[role=progressbar]', '.chip.done', 'table']],
  ['cluster', ['[role=progressbar]', 'table', '.bars li']],
  ['sign-in', ['form.entry']],
];

/** An experiment that runs, one that is over, a trained model, a data set. */
async function fill(world) {
  const variants = [{name: 'control', config: {algorithm: 'popular'}}, {name: 'treatment', config: {algorithm: 'feed'}}];
  const experiment = (id, name, from, to) => world.send('POST', '/api/ab-test/create/', {experiment_id: id, name, variants,
    start_date: from, end_date: to, minimum_sample_size: 500});
  await experiment('popular_or_feed', 'Popular or feed', '2020-01-01T00:00:00Z', '2100-01-01T00:00:00Z');
  await experiment('before', 'One that is over', '2020-01-01T00:00:00Z', '2020-02-01T00:00:00Z');
  for (let user = 1; user <= 40; ++user) await world.send('GET', `/v1/recommendations/${user}`);
  const form = new FormData();
  form.append('dataset_type', 'interactions');
  form.append('file', new Blob(['user_id,product_id,interaction_type\n1,2,view\nx,,view\n']), 'day.csv');
  await world.send('POST', '/api/upload-dataset/', form);
  const {id} = await world.send('POST', '/v1/admin/jobs', {kind: 'linear_model'});
  const until = Date.now() + 120_000;
  while ((await world.send('GET', `/v1/admin/jobs/${id}`)).state !== 'done') assert.ok(Date.now() < until, 'a training');
}

async function look(world, page, [hash, wanted], name) {
  await world.goTo(page, hash);
  for (const selector of wanted) await page.locator(selector).first().waitFor();
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({effect}) =>
    effect.getTiming().iterations !== Infinity).map((animation) => animation.finished.catch(() => {}))));
  await page.screenshot({path: join(screenshots, name), fullPage: true});
  const [is, may] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(is <= may, `${name}: ${is} px wide on a screen of ${may}`);
  const {violations} = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
  const grave = violations.filter(({impact}) => ['serious', 'critical'].includes(impact));
  assert.deepEqual(grave.map(({id, nodes}) => `${name}: ${id}: ${nodes[0].html}`), []);
}

async function walk(world, browser, width, theme) {
  const complaints = [];
  const page = await world.open(browser, {viewport: {width, height: 900}, colorScheme: theme}, complaints);
  await page.addInitScript(readFileSync(join(npm, 'axe-core/axe.min.js'), 'utf8'));
  await world.signInByKey(page, admin);
  await page.getByRole('link', {name: 'Cluster'}).waitFor();
  for (const one of pages) {
    await look(world, page, one, `console-${one[0].replace(/\W+/g, '-')}-${width}-${theme}.png`);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
}

/** How long a first visit takes until the pages can be walked and figures are there, and what came over the line. */
async function firstVisit(world, browser) {
  const complaints = [];
  const page = await world.open(browser, {}, complaints);
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('nav a') || !document.querySelector('.figure')) return;
      observer.disconnect();
      window.usableAfter = performance.now();
    }).observe(document, {childList: true, subtree: true});
  });
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  session.on('Network.loadingFinished', ({encodedDataLength}) => { bytes += encodedDataLength; });
  await session.send('Network.enable');
  await page.goto(`${world.url}/console/`);
  await page.waitForFunction(() => window.usableAfter !== undefined, null, {timeout: deadline});
  const milliseconds = await page.evaluate(() => window.usableAfter);
  await page.context().close();
  assert.deepEqual(complaints, []);
  return {bytes, milliseconds};
}

const chromium = browsers(npm);
if (!existsSync(join(npm, 'axe-core'))) skip('no npm registry was in reach: no axe-core');
mkdirSync(screenshots, {recursive: true});
const world = await World.begin(binary, movielens);
let failed = 0, browser;
try {
  await fill(world);
  world.startAudience(30);
  browser = await chromium.launch();
  const visits = [];
  for (let i = 0; i < 5; ++i) visits.push(await firstVisit(world, browser));  // the machine has other things to do, too
  const bytes = Math.max(...visits.map((visit) => visit.bytes));
  const soonest = Math.min(...visits.map((visit) => visit.milliseconds));
  console.log(`first page: ${bytes} bytes, usable after ${Math.round(soonest)} ms at best`);
  assert.ok(bytes > 10_000 && bytes < mostBytes, `${bytes} bytes`);
  assert.ok(soonest < mostMilliseconds, `usable after ${soonest} ms`);
  for (const width of widths) for (const theme of themes) await walk(world, browser, width, theme);
  console.log(`${pages.length} pages in ${widths.length * themes.length} looks; screenshots in ${screenshots}`);
} catch (error) {
  console.log(error);
  failed = 1;
} finally {
  await browser?.close();
  world.end();
}
process.exit(failed);
