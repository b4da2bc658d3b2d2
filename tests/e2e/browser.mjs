// What the tests in a real Chromium share. A test that may not run ends with exit code 77.
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';

const chromium = '/usr/bin/chromium';

export function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

/** The browser that npm's playwright-core in the folder `npm` starts. */
export function browsers(npm) {
  if (!existsSync(join(npm, 'playwright-core'))) skip('no npm registry was in reach: no playwright-core');
  if (!existsSync(chromium)) skip('no Chromium is installed');
  const playwright = createRequire(resolve(npm, 'playwright-core/index.js'))('./index.js');
  return {launch: () => playwright.chromium.launch({executablePath: chromium, args: ['--no-sandbox']})};
}

/** The server over the data in a folder, once it is ready: {server, url}. */
export async function serve(binary, data, ...args) {
  const server = spawn(binary, ['serve', '--data', data, '--port', '0', '--log-level', 'warn', ...args],
                       {stdio: ['ignore', 'pipe', 'inherit']});
  for await (const line of createInterface({input: server.stdout})) {
    return {server, url: line.replace('ready on ', '').trim()};
  }
  throw new Error('the server did not start');
}
