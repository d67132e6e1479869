import type { Way } from './way.ts';

const places = '--dir /srv/rollout --to /srv/chain';
const key = '--key /media/stick/chain-key.jwk.json';

const because = 'makes a user of this machine, and folders outside the tree';
const notRun = [
  'sudo useradd --system rollout',
  'sudo install -d -o rollout -m 0700 /srv/rollout',
  'sudo install -d -o rollout -m 0755 /srv/chain',
].map((command): readonly [string, Way] => [command, { way: 'not run', because }]);

/** Read out of docs/updating.md and run by that test, each in its place, with other folders. */
const ofOperator = [
  `uketsuke rollout init --chain midori --dir /srv/rollout ${key}`,
  'uketsuke rollout plan plan.yaml',
  `uketsuke rollout sign plan.yaml ${places} ${key}`,
  `uketsuke rollout go-on --kind release ${places} ${key}`,
  `uketsuke rollout stop --kind release ${places}`,
  'uketsuke rollout init --chain midori --dir /srv/rollout --key /media/stick/chain-key-2.jwk.json',
].map((command): readonly [string, Way] => [
  command,
  { way: 'by', file: 'test/cli/rollout.test.ts', words: command.split(' ').slice(1, 3).join(' ') },
]);

export const chainCommands = [...notRun, ...ofOperator];
