import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newKey } from '../../../src/agent/provisioning/make-device-keys.ts';
import type { RolloutReason } from '../../../src/core/rollout/rollout.ts';
import { hourMs } from '../../../src/core/time-units.ts';
import { importSigningKey } from '../../../src/trust/key-files.ts';
import { sign } from '../../../src/trust/seal.ts';
import { rolloutFileOf } from '../../../src/wire/rollout-papers.ts';
import { type PlayedChain, PlayedFacility } from '../../beds/rollout-chain.ts';

type Papers = { order: string; word: string; consent: string | null };
type Attack = {
  readonly name: string;
  readonly expects: RolloutReason;
  /** What lies in the folder of the facility under attack */
  readonly file?: (papers: Papers, whole: string) => string | Promise<string>;
  readonly set?: Partial<Pick<PlayedFacility, 'aheadMs' | 'certainty' | 'freeBytes' | 'ownRelease'>>;
};

const contentOf = (jws: string): object =>
  JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')) as object;
const changed = (jws: string, more: object): string => {
  const [header = '', , signature = ''] = jws.split('.');
  const content = Buffer.from(JSON.stringify({ ...contentOf(jws), ...more })).toString('base64url');
  return [header, content, signature].join('.');
};
const byStranger = async (kind: 'rollout-order' | 'rollout-word', jws: string): Promise<string> =>
  new TextDecoder().decode(await sign(kind, contentOf(jws), await importSigningKey(await newKey('ES256'))));

const attacks: readonly Attack[] = [
  { name: 'half-written', expects: 'unreadable', file: (_, whole) => whole.slice(0, whole.length / 2) },
  {
    ...{ name: 'tampered', expects: 'forged' },
    file: ({ order, ...papers }) => JSON.stringify({ ...papers, order: changed(order, { waves: [['attacked']] }) }),
  },
  {
    ...{ name: 'foreign key', expects: 'forged' },
    file: async (papers) => JSON.stringify({ ...papers, order: await byStranger('rollout-order', papers.order) }),
  },
  {
    ...{ name: 'foreign watch', expects: 'forged' },
    file: async (papers) => JSON.stringify({ ...papers, word: await byStranger('rollout-word', papers.word) }),
  },
  { name: 'clock ten years ahead', expects: 'expired', set: { aheadMs: 87_600 * hourMs } },
  {
    name: 'clock ten years behind',
    expects: 'from-the-future',
    set: { aheadMs: -87_600 * hourMs },
  },
  { name: 'clock in doubt', expects: 'clock', set: { certainty: 'doubted' } },
  { name: 'stale copy', expects: 'silent-watch', set: { aheadMs: 3 * hourMs } },
  { name: 'content away', expects: 'content-missing' },
  { name: 'disk full', expects: 'no-room', set: { freeBytes: 1_000_000 } },
  { name: 'own release', expects: 'kept', set: { ownRelease: true } },
];

/** With those of whoever has seen an order */
export const attackCount = attacks.length + 2;

/** Each on a facility of its own of an open wave; what it was refused for. Throws where it took anything, or for another reason. */
export const attackAll = async (chain: PlayedChain, name: string, former: string): Promise<readonly string[]> => {
  const published = join(chain.place.folder, rolloutFileOf('release'));
  const whole = readFileSync(published, 'utf8');
  const papers = JSON.parse(whole) as Papers;
  const refused: string[] = [];
  const facilityFor = (attack: string): PlayedFacility => {
    const facility = new PlayedFacility(chain, name, `attacked-${attack.replaceAll(' ', '-')}`);
    facility.folder = join(facility.directory, 'folder');
    if (attack !== 'content away') cpSync(chain.place.folder, facility.folder, { recursive: true });
    else cpSync(published, join(facility.folder, rolloutFileOf('release')));
    return facility;
  };
  const judge = async (facility: PlayedFacility, attack: string, expects: RolloutReason): Promise<void> => {
    const before = facility.given.size;
    const { why } = await facility.look();
    if (why !== expects || facility.given.size > before) throw new Error(`${attack}: ${why}, not ${expects}`);
    refused.push(attack);
  };
  for (const { name: attack, expects, file, set } of attacks) {
    const facility = facilityFor(attack);
    if (file !== undefined) writeFileSync(join(facility.folder, rolloutFileOf('release')), await file(papers, whole));
    Object.assign(facility, set);
    await judge(facility, attack, expects);
  }
  // Whoever has seen this order is given the former one, signed in its time; or an earlier word of this one.
  const seen = facilityFor('rollback');
  await seen.look();
  writeFileSync(join(seen.folder, rolloutFileOf('release')), former);
  await judge(seen, 'rollback', 'older');
  const replayed = facilityFor('replay');
  await replayed.look();
  await chain.lookByOperator();
  writeFileSync(join(replayed.folder, rolloutFileOf('release')), readFileSync(published));
  await replayed.look();
  writeFileSync(join(replayed.folder, rolloutFileOf('release')), whole);
  await judge(replayed, 'replay', 'replayed');
  return refused;
};
