// What the tests of the console share: a server with people, items and whatever else its pages show.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {serve, skip} from './browser.mjs';

export const admin = 'an admin token for this test alone';
export const deadline = 20_000;

/** A server for a test of its own, over MovieLens 100K where that is, else over the films of the binary. */
export class World {
  static async begin(binary, movielens) {
    const world = new World();
    world.binary = binary;
    world.data = mkdtempSync(join(tmpdir(), 'millrace-console-'));
    const load = existsSync(join(movielens, 'ml-100k.inter')) ? ['import', 'movielens', movielens] : ['seed', 'movies'];
    execFileSync(binary, [...load, '--data', world.data], {stdio: 'ignore'});
    ({server: world.server, url: world.url} = await serve(binary, world.data, '--admin-token', admin,
      '--access-per-address', '0', '--access-per-caller', '0', '--engine-api-per-minute', '0'));
    if ((await (await fetch(`${world.url}/console/`)).text()).includes('not in this server')) {
      world.end();
      skip('the server was built where no npm registry was in reach');
    }
    return world;
  }

  end() {
    this.audience?.kill();
    this.server.kill('SIGKILL');
    rmSync(this.data, {recursive: true, force: true});
  }

  /** People who do something, until the world ends or they are killed. */
  startAudience(rate) {
    this.audience = spawn(this.binary, ['simulate', '--existing', '--url', this.url, '--token', admin, '--users', '200',
      '--rate', String(rate), '--duration', '0'], {stdio: 'ignore'});
  }

  async send(method, path, body, token = admin) {
    const form = body instanceof FormData;
    const reply = await fetch(this.url + path, {method, body: form ? body : body && JSON.stringify(body),
      headers: {Authorization: `Bearer ${token}`, ...(form ? {} : {'Content-Type': 'application/json'})}});
    assert.ok(reply.ok, `${method} ${path}: ${reply.status}`);
    return reply.status === 204 ? null : reply.json();
  }

  /** The id of a new account, and a token of it. */
  async signUp(username, password) {
    const {id} = await this.send('POST', '/api/users/', {username, email: `${username}@example.org`, password});
    return {id: String(id), token: (await this.send('POST', '/api/token/', {username, password})).token};
  }

  /** A page of the console in a browser, which complains to `complaints`. */
  async open(browser, options, complaints) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(deadline);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // Chromium says so of each refusal; which of them there are is asked at the API.
      const refusal = /the server responded with a status of 40[13]/.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !refusal) complaints.push(message.text());
    });
    page.on('request', (request) => {
      const {protocol, origin} = new URL(request.url());
      if (protocol !== 'data:' && origin !== this.url) complaints.push(`asked another host: ${request.url()}`);
    });
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== new URL(this.url).host) complaints.push(`a socket elsewhere: ${socket.url()}`);
    });
    return page;
  }

  async goTo(page, hash) {
    await page.goto(`${this.url}/console/#/${hash}`);
    await page.locator('h1').waitFor();
  }

  async signInByKey(page, key) {
    await this.goTo(page, 'sign-in');
    await page.getByLabel('Key', {exact: true}).fill(key);
    await page.locator('form', {hasText: 'Key'}).getByRole('button').click();
  }
}
