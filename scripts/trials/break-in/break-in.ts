import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, startAttackedClinic } from '../attacked-clinic-bed.ts';
import { checkErase } from '../erase-check.ts';
import { measureSilence } from '../silent-connections.ts';
import { attackAgent, attackCodesOfAnother } from './agent-attacks.ts';
import { Attempts } from './attempts.ts';
import { attackBroker, attackFolders, attackPages, attackSockets } from './clinic-attacks.ts';
import { attackEnrolment, attackNames, attackTopics } from './clinic-sisters.ts';
import { attackPagesPatiently } from './page-sisters.ts';

/*
 * npm run break-in -- [--json]: attacks with little in hand (a place in the clinic's network, a share, a browser, one
 * terminal, the PC after hours) against the real processes. After each an independent look tells who won: a file's hash, a
 * process, rows of the journal, a page. Root, Linux.
 */

const attackTree = async (attempts: Attempts): Promise<void> => {
  const main = new URL('../../../src/main.ts', import.meta.url).pathname;
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-tree-'));
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'main.ts'), 'export {};');
  cpSync(main, join(tree, 'entry.ts'));
  const attest = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'attest', '--tree', tree, ...args], { encoding: 'utf8' });
  if (attest('--seal').status !== 0) throw new Error('the tree was not sealed');
  await attempts.attempt(40, 'a byte of an installed file changed, and the device asked what it runs', async () => {
    writeFileSync(join(tree, 'main.ts'), 'export {}; ');
    const done = attest('--config', join(folder, 'none.yaml'));
    return { isIn: done.status === 0 || !done.stderr.includes('altered'), seen: done.stderr.trim().slice(0, 70) };
  });
  rmSync(folder, { recursive: true });
};

const attempts = new Attempts();
let crashes = 0;
const clinic = await startAttackedClinic();
try {
  await attackPages(attempts, clinic);
  await attackFolders(attempts, clinic);
  await attackBroker(attempts, clinic);
  await attackSockets(attempts, clinic);
  await attackPagesPatiently(attempts, clinic);
  await attackNames(attempts, clinic);
  await attackTopics(attempts, clinic);
  await attackEnrolment(attempts, clinic);
  const { dead, silent } = await isAlive(clinic);
  crashes += dead.length;
  for (const what of [...dead, ...silent]) process.stdout.write(`gone or silent: ${what}\n`);
} finally {
  await clinic.close();
}
crashes += await attackAgent(attempts);
crashes += await attackCodesOfAnother(attempts);
await attackTree(attempts);
await attempts.attempt(39, 'keys and patients on the raw disk of an erased device', async () => {
  const { hits, foundBefore } = await checkErase();
  return { isIn: hits > 0, seen: `${hits} hits, ${foundBefore} before` };
});
const silence = await measureSilence();
for (const [name, { served, held }] of [
  ['1,100 silent connections of one address at mosquitto', silence.oneAddress],
  ['1,100 silent connections of 200 addresses at mosquitto, the terminal known', silence.manyAddressesKnown],
  [
    '1,100 silent connections of 200 addresses at mosquitto, the terminal new and enrolled',
    silence.manyAddressesEnrolled,
  ],
  ['the same after the broker has started anew', silence.manyAddressesRestarted],
] as const)
  await attempts.attempt(35, name, async () => ({
    isIn: !served,
    seen: `${held} held, terminal ${served ? 'served' : 'kept out'}`,
  }));

const won = attempts.all.filter(({ isIn }) => isIn);
for (const { name, seen } of won) process.stdout.write(`IN: ${name}: ${seen}\n`);
process.stdout.write(
  `${JSON.stringify({ profile: 'demo', attempts: attempts.all.length, in: won.length, crashes })}\n`,
);
process.exit(won.length === 0 && crashes === 0 && attempts.all.length >= 45 ? 0 : 1);
