// A video in a real Chromium: a page's form uploads it, <video> plays it from the address in the answer,
// jumps about in it by ranges, and what is deleted plays no more.
//
// video_test.mjs BINARY NPM VIDEO: NPM holds playwright-core. Exit code 77 (skipped) without it or without
// Chromium.
import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {browsers, serve} from './browser.mjs';

const [binary, npm, file] = process.argv.slice(2);
const admin = 'an admin token for this test alone';
const videos = '/api/v1/shoppable-videos/';

async function send(url, method, path, body, token = admin) {
  const reply = await fetch(url + path, {method, body: body && JSON.stringify(body),
    headers: {'Content-Type': 'application/json', 'Authorization': `Bearer ${token}`}});
  assert.ok(reply.ok, `${method} ${path}: ${reply.status}`);
  return reply.status === 204 ? null : reply.json();
}

/** In the page: what a form with a file sends, by the browser's own means. */
async function upload(page, token) {
  await page.setContent(`<form><input name="title" value="Tiny &quot;one&quot;"><input name="product_id" value="7">
    <input name="tags" value='["tiny"]'><input name="file" type="file"></form><video muted></video>`);
  await page.locator('input[type=file]').setInputFiles({name: 'tiny.mp4', mimeType: 'video/mp4', buffer: readFileSync(file)});
  return page.evaluate(async ([path, credential]) => {
    const reply = await fetch(path, {method: 'POST', body: new FormData(document.querySelector('form')),
      headers: {Authorization: `Bearer ${credential}`}});
    return {status: reply.status, body: await reply.json()};
  }, [videos, token]);
}

/** Plays to the end; what the element then says of itself. */
const play = (page, source) => page.evaluate(async (address) => {
  const video = document.querySelector('video');
  const over = new Promise((done) => {
    video.onended = () => done('ended');
    video.onerror = () => done(`error ${video.error.code}`);
  });
  video.src = address;
  video.play().catch(() => {});
  return {how: await over, width: video.videoWidth, height: video.videoHeight, seconds: video.duration};
}, source);

const jump = (page, seconds) => page.evaluate(async (to) => {
  const video = document.querySelector('video');
  const there = new Promise((done) => { video.onseeked = done; });
  video.currentTime = to;
  await there;
  return video.currentTime;
}, seconds);

const chromium = browsers(npm);
const data = mkdtempSync(join(tmpdir(), 'millrace-video-'));
let server, browser, failed = 0;
try {
  let url;
  ({server, url} = await serve(binary, data, '--admin-token', admin));
  await send(url, 'PUT', '/v1/items/product:7', {title: 'A watch', price: '19.99'});
  const person = {username: 'ann', email: 'ann@example.org', password: 'a long sentence of hers'};
  await send(url, 'POST', '/api/users/', person);
  const {token} = await send(url, 'POST', '/api/token/', {username: 'ann', password: person.password});

  browser = await chromium.launch();
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`${url}/health`);
  const statuses = new Set();
  page.on('response', (response) => {
    if (response.url().includes('/media/')) statuses.add(response.status());
  });
  const made = await upload(page, token);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.title, 'Tiny "one"');
  assert.equal(made.body.product.name, 'A watch');
  const feed = await (await fetch(url + videos)).json();
  assert.equal(feed[0].video_file, made.body.video_file);

  assert.deepEqual(await play(page, made.body.video_file), {how: 'ended', width: 48, height: 32, seconds: 2});
  assert.equal(await jump(page, 0.5), 0.5);
  assert.ok(statuses.has(206), `ranges were asked for: ${[...statuses]}`);

  await send(url, 'DELETE', `${videos}${made.body.id}/`, undefined, token);
  assert.equal((await fetch(url + made.body.video_file)).status, 404);
  assert.equal((await play(page, `${made.body.video_file}?again`)).how, 'error 4');
} catch (error) {
  console.log(error);
  failed = 1;
} finally {
  await browser?.close();
  server?.kill();
  rmSync(data, {recursive: true, force: true});
}
process.exit(failed);
