// GET /v1/live in a real Chromium: a page of the server's own gets tickets, listens by WebSocket and by EventSource,
// and sees an event that it posts; a page of another origin is refused.
//
// live_page_test.mjs BINARY NPM: NPM holds playwright-core. Exit code 77 (skipped) without it or without Chromium.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {browsers, serve} from './browser.mjs';

const [binary, npm] = process.argv.slice(2);
const token = 'an admin token for this test alone';

/** In the page: what both ways of listening say of an event that it posts. */
async function listen({token}) {
  const call = (path, body) => fetch(path, {
    method: 'POST', body, headers: {'Authorization': `Bearer ${token}`, 'Content-Type': 'application/json'}});
  const ticket = async () => (await (await call('/v1/live/tickets')).json()).ticket;
  const told = (begin, hear) => new Promise((done, failed) => {
    begin.onerror = () => failed(new Error('refused'));
    hear(done);
  });
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/v1/live?user=ann&ticket=${await ticket()}`);
  await told(socket, (done) => { socket.onmessage = done; });
  const events = new EventSource(`/v1/live?user=ann&ticket=${await ticket()}`);
  await told(events, (done) => events.addEventListener('listening', done));
  const heard = Promise.all([
    told(socket, (done) => { socket.onmessage = done; }),
    told(events, (done) => events.addEventListener('interaction', done))]);
  await call('/v1/events', JSON.stringify({type: 'like', data: {user: 'ann', item: 'movie:1'}}));
  const [bySocket, byEvents] = await heard;
  socket.close(1000);
  events.close();
  await new Promise((done) => { socket.onclose = done; });
  return {bySocket: JSON.parse(bySocket.data), byEvents: JSON.parse(byEvents.data), id: byEvents.lastEventId};
}

/** In the page: whether it may connect. */
async function mayConnect({url, ticket}) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/live?ticket=${ticket}`);
  return new Promise((done) => {
    socket.onopen = () => done(true);
    socket.onerror = () => done(false);
  });
}

const chromium = browsers(npm);
const data = mkdtempSync(join(tmpdir(), 'millrace-live-'));
const elsewhere = createServer((request, response) => response.end('a page')).listen(0, '127.0.0.1');
let failed = 0, server, browser;
try {
  let url;
  ({server, url} = await serve(binary, data, '--admin-token', token));
  browser = await chromium.launch();
  const page = await browser.newPage();
  await page.goto(`${url}/health`);
  const {bySocket, byEvents, id} = await page.evaluate(listen, {token});
  assert.deepEqual(bySocket, byEvents);
  assert.equal(bySocket.user, 'ann');
  assert.equal(bySocket.type, 'like');
  assert.equal(id, bySocket.position);

  const answer = await fetch(`${url}/v1/live/tickets`, {method: 'POST', headers: {Authorization: `Bearer ${token}`}});
  const {ticket} = await answer.json();
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
  assert.equal(await page.evaluate(mayConnect, {url, ticket}), false, 'a page of another origin connected');
  await page.goto(`${url}/health`);
  assert.equal(await page.evaluate(mayConnect, {url, ticket}), true, 'the refused page has used the ticket up');
} catch (error) {
  console.error(error);
  failed = 1;
} finally {
  await browser?.close();
  elsewhere.close();
  server?.kill('SIGTERM');
  rmSync(data, {recursive: true, force: true});
}
process.exit(failed);
