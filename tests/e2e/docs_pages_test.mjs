// The documentation pages in a real Chromium: somebody signs up, authorises, rates a movie and sees it in
// `recommended`, all by clicking in Swagger UI; ReDoc shows every operation; nothing but the server is
// asked for anything.
//
// docs_pages_test.mjs BINARY NPM SCREENSHOTS: NPM holds playwright-core. Exit code 77 (skipped) without it,
// without Chromium, or where BINARY was built without the pages.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {browsers, serve, skip} from './browser.mjs';

const [binary, npm, screenshots] = process.argv.slice(2);
const deadline = 20_000;

/** An operation of Swagger UI, opened, with what it takes filled in; answers {status, body}. */
async function execute(page, id, {path = {}, body} = {}) {
  const block = page.locator(`[id$="-${id}"].opblock`);
  if (!await block.evaluate((element) => element.classList.contains('is-open'))) {
    await block.locator('.opblock-summary-control').click();
  }
  for (const [name, value] of Object.entries(path)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(String(value));
  }
  if (body) await block.locator('textarea.body-param__text').fill(JSON.stringify(body));
  const answered = page.waitForResponse((response) => !response.url().includes('/docs/'));
  await block.locator('.execute').click();
  const answer = await answered;
  await block.locator('.live-responses-table .response-col_status').first().waitFor();
  const text = await answer.text();
  return {status: answer.status(), body: text && JSON.parse(text)};
}

async function authorise(page, token) {
  await page.locator('.auth-wrapper .btn.authorize').click();
  await page.locator('.auth-container input').fill(token);
  await page.locator('.auth-container .btn.authorize').click();
  await page.locator('.auth-container .btn-done').click();
}

async function swagger(page, url) {
  await page.goto(`${url}/api/docs/swagger/`);
  await page.locator('.opblock-tag').first().waitFor();
  assert.equal(await page.locator('#select option').count(), 1 + documents.length);
  await page.screenshot({path: join(screenshots, 'swagger.png')});

  for (const tag of ['accounts', 'discovery', 'ratings']) await page.locator(`#operations-tag-${tag}`).click();
  const person = {username: 'ann', email: 'ann@example.org', password: 'a long sentence of hers'};
  const account = await execute(page, 'signUp', {body: person});
  assert.equal(account.status, 201);
  const login = {username: person.username, password: person.password};
  const token = await execute(page, 'logIn', {body: login});
  assert.equal(token.status, 200);
  assert.equal((await execute(page, 'recommendMovies')).status, 401);
  await authorise(page, token.body.token);

  const before = (await execute(page, 'recommendMovies')).body.results;
  assert.equal(before.length, 20);
  const rare = before.at(-1);
  const rating = await execute(page, 'rateMovie', {path: {id: rare.id}, body: {rating: 5, review: 'Warm.'}});
  assert.equal(rating.status, 201);
  assert.equal(rating.body.movie, rare.id);
  assert.equal(rating.body.user, account.body.id);
  const after = (await execute(page, 'recommendMovies')).body.results;
  await page.locator('[id$="-recommendMovies"] .live-responses-table').scrollIntoViewIfNeeded();
  await page.screenshot({path: join(screenshots, 'swagger-recommended.png')});
  assert.equal(after.length, 20);
  assert.ok(!after.some((movie) => movie.id === rare.id), 'what was rated was watched');
  const liked = new Set(rare.genres.map((genre) => genre.id));
  const fits = (movies) => movies.filter((movie) => movie.genres.some((genre) => liked.has(genre.id))).length;
  assert.ok(fits(after) > fits(before), 'its genres come up');

  await page.locator('#select').selectOption({label: 'movies'});
  await page.locator('#operations-tag-accounts').waitFor({state: 'detached'});
  await page.locator('#operations-tag-movies').click();
  await page.locator('[id$="-createMovie"].opblock').waitFor();
  await page.locator('[id$="-signUp"].opblock').waitFor({state: 'detached'});
}

async function redoc(page, url, operations) {
  await page.goto(`${url}/api/docs/redoc/`);
  await page.locator('[data-section-id^="tag/"]').first().waitFor();
  for (const operation of operations) {
    await page.locator(`[id$="/operation/${operation}"]`).first().waitFor({state: 'attached'});
  }
  await page.screenshot({path: join(screenshots, 'redoc.png')});
  await page.goto(`${url}/api/docs/redoc/#operation/rateMovie`);
  await page.locator('[id$="/operation/rateMovie"]').first().scrollIntoViewIfNeeded();
  await page.screenshot({path: join(screenshots, 'redoc-rate.png')});
  await page.goto(`${url}/api/docs/redoc/?document=accounts`);
  await page.locator('[id$="/operation/signUp"]').first().waitFor({state: 'attached'});
  assert.equal(await page.locator('[id$="/operation/rateMovie"]').count(), 0);
}

const chromium = browsers(npm);
mkdirSync(screenshots, {recursive: true});
const data = mkdtempSync(join(tmpdir(), 'millrace-docs-'));
let documents, failed = 0, server, browser, page;
try {
  execFileSync(binary, ['seed', 'movies', '--data', data]);
  let url;
  ({server, url} = await serve(binary, data));
  if ((await (await fetch(`${url}/api/docs/swagger/`)).text()).includes('no npm registry')) {
    skip('the server was built where no npm registry was in reach');
  }
  const whole = await (await fetch(`${url}/openapi.yaml`)).text();
  documents = /enum: \[(v1, .*?)\]/.exec(whole)[1].split(', ');
  const operations = [...whole.matchAll(/^ {6}operationId: (\w+)$/gm)].map((match) => match[1]);
  assert.ok(operations.length > 60);

  browser = await chromium.launch();
  page = await browser.newPage({viewport: {width: 1280, height: 1000}});
  page.setDefaultTimeout(deadline);
  const outside = [], complaints = [];
  page.on('response', (response) => {
    if (!/^(data|blob):/.test(response.url()) && !response.url().startsWith(url)) outside.push(response.url());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => console.log(`${message.type()}: ${message.text()}`));
  await swagger(page, url);
  await redoc(page, url, operations);
  assert.deepEqual(outside, []);
  assert.deepEqual(complaints, []);
  console.log(`${operations.length} operations; screenshots in ${screenshots}`);
} catch (error) {
  console.log(error);
  await page?.screenshot({path: join(screenshots, 'failed.png')});
  failed = 1;
} finally {
  await browser?.close();
  server?.kill();
  rmSync(data, {recursive: true, force: true});
}
process.exit(failed);
