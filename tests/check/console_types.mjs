// The console's TypeScript holds to its types, which vite takes away unseen.
// console_types.mjs SOURCE NPM WORK: NPM/console holds the packages, and the sources are copied to WORK, where they
// find them. Exit code 77 (skipped) without the packages.
import {spawnSync} from 'node:child_process';
import {cpSync, existsSync, rmSync, symlinkSync} from 'node:fs';
import {join, resolve} from 'node:path';

const [source, npm, work] = process.argv.slice(2);
const modules = resolve(npm, 'console/node_modules');
if (!existsSync(join(modules, '.pinned'))) {
  console.log('skipped: no npm registry was in reach: no packages of the console');
  process.exit(77);
}
rmSync(work, {recursive: true, force: true});
cpSync(source, work, {recursive: true});
symlinkSync(modules, join(work, 'node_modules'));
const {status} = spawnSync(process.execPath, [join(modules, 'typescript/bin/tsc'), '--noEmit'], {cwd: work, stdio: 'inherit'});
if (status === 0) console.log('console: types hold');
process.exit(status ?? 1);
