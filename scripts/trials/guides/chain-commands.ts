import type { Way } from './way.ts';

const places = '--dir /srv/rollout --to /srv/chain';
const key = '--key /media/stick/chain-key.jwk.json';

/** Read out of docs/updating.md and run by that test, each in its place, with other folders. */
export const chainCommands = [
  `uketsuke rollout init --chain midori --dir /srv/rollout ${key}`,
  'uketsuke rollout plan plan.yaml',
  `uketsuke rollout sign plan.yaml ${places} ${key}`,
  `uketsuke rollout go-on --kind release ${places} ${key}`,
  `uketsuke rollout stop --kind release ${places}`,
].map((command): readonly [string, Way] => [
  command,
  { way: 'by', file: 'test/cli/rollout.test.ts', words: command.split(' ').slice(1, 3).join(' ') },
]);
