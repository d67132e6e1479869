#!/usr/bin/env node
// The command `uketsuke`, started by whatever Node the machine has: finds Node 24 and hands over. Syntax of Node 18.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode } from './packages/find-node.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const find = () =>
  findNode({ root, execPath: process.execPath, version: process.version, searchPath: process.env.PATH ?? '' });
const isComplete = () => find() !== undefined && existsSync(join(root, 'node_modules', 'commander'));

const setup = join(root, 'scripts', 'setup');
if (!isComplete() && existsSync(setup) && process.platform !== 'win32') {
  // A clone in which nothing was started yet. What set-up tells goes to standard error, as everywhere.
  spawnSync(setup, [], { stdio: ['ignore', 2, 2] });
}
const node = find();
if (node === undefined || !isComplete()) {
  process.stderr.write(
    node === undefined
      ? `uketsuke: needs Node 24 or newer, this is ${process.version}, and none was found; run scripts/setup\n`
      : `uketsuke: the packages are missing; run scripts/setup\n`,
  );
  process.exit(1);
}

// What has children of its own (the kit's pcscd) would outlive one that is killed with SIGKILL. setpriv is on every Debian.
const setpriv = '/usr/bin/setpriv';
const bound = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'TERM', node] : [node];
const child = spawn(
  bound[0],
  [...bound.slice(1), '--disable-warning=ExperimentalWarning', join(root, 'src', 'main.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
// A service manager speaks to us and means the one that works. A terminal tells its whole group by itself, and a second
// signal would cut short what the first one began.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    const isToldAlready = signal !== 'SIGTERM' && process.stdin.isTTY === true;
    if (!isToldAlready && child.pid !== undefined) child.kill(signal);
  });
child.on('error', (error) => {
  process.stderr.write(`uketsuke: ${node} cannot be started: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
