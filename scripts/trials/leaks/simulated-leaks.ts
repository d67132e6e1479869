/**
 * Simulated visits whose traces are searched: a process of its own, as the stand-ins of `../simulate/hooks.ts` are in place before
 * anything of the product is imported. What is asked comes as JSON; a line of JSON for each world.
 */
import { createHash } from 'node:crypto';
import { type Needle, needlesOf, searchContent, searchFor } from '../../beds/canary-search.ts';
import { layGroundWith } from '../simulate/lay-ground.ts';
import type { World } from '../simulate/world.ts';
import { anyPicture } from './any-picture.ts';
import { FileTraces } from './traces.ts';

export type LeakShare = {
  readonly seed: string;
  readonly sessions: number;
  readonly first: number;
  readonly step: number;
  /** One world in so many is run again with another PIN. */
  readonly pinsEvery: number;
};
export type LeakLine = {
  readonly world: number;
  readonly visits: number;
  readonly accepted: number;
  /** Bytes that were searched */
  readonly searched: number;
  /** What was found, in which form, where */
  readonly hits: readonly string[];
  /** Traces that were not the same byte by byte with another PIN; null: not looked at */
  readonly pinDifferences: readonly string[] | null;
};

const share = JSON.parse(process.argv[2] ?? '') as LeakShare;
const { ground, World: SimulatedWorld, planWorld, visitsOfWorld } = await layGroundWith();
const [{ makePeople }, { makeSupportBundle }] = await Promise.all([
  import('../simulate/people.ts'),
  import('../../../src/log/support-bundle.ts'),
]);

const aboutPeople = ground.records.flatMap(({ persona, qualifications }) =>
  qualifications.flatMap(({ Name, NameKana, Address }) =>
    [Name, NameKana, Address].flatMap((text) =>
      typeof text === 'string' && text !== '' ? [{ what: `name of ${persona}`, text }] : [],
    ),
  ),
);
const onCards = [...ground.people.values()].flatMap(({ persona, printedNumberB, photoJp2 }) => [
  { what: `name of ${persona.id}`, text: persona.person.name },
  ...(printedNumberB === null ? [] : [{ what: `照合番号B of ${persona.id}`, text: printedNumberB }]),
  ...(photoJp2.length === 0 ? [] : [{ what: `photo of ${persona.id}`, bytes: photoJp2 }]),
]);
const search = searchFor(needlesOf([...aboutPeople, ...onCards, ...anyPicture]));

/** A journal that no world before has written in: its bytes are compared and searched, free pages and all. */
const newGround = (): typeof ground => ({ ...ground, emptyJournal: Uint8Array.from(ground.emptyJournal) });

/** What is left of a world in each of its places; the folder for the レセコン is told a name by right. */
const tracesOf = function* (world: World): Generator<readonly [where: string, bytes: Uint8Array]> {
  yield ['journal', world.disk.database.serialize()];
  for (const row of world.stored.rows.values()) yield ['outbox', Buffer.from(JSON.stringify({ ...row, sealed: null }))];
  for (const { sealed } of world.stored.rows.values()) yield ['outbox, sealed', sealed];
  yield ['audit of the terminal', Buffer.from(JSON.stringify(world.stored.audit))];
  for (const [path, { now }] of world.disk.folders)
    for (const [name, file] of now) {
      yield [`name in ${path}`, Buffer.from(name)];
      if (!path.endsWith('/face')) yield [`file in ${path}`, file.now];
    }
};

/** What would go to a maker after a visit: of the log, whatever of it the bundle admits. Simulated terminals have no figures. */
const bundleOf = (log: readonly string[]): Uint8Array =>
  makeSupportBundle({
    about: { version: '0.0.0', profile: 'demo', device: 'front-1' },
    diagnoses: [],
    faults: new Set(),
    figures: {},
    configuration: { profile: 'demo' },
    log,
  });

/** A run whose whole trace goes to `take`: messages and log as they come, what is kept after each visit. */
const runTraced = (world: World, take: (where: string, bytes: Uint8Array) => void) => {
  let logged: string[] = [];
  const rest = (): void => {
    for (const [where, bytes] of tracesOf(world)) take(where, bytes);
    take('support bundle', bundleOf(logged));
    logged = [];
  };
  world.broker.onTaken = (topic, payload) => {
    take('topic', Buffer.from(topic));
    take(`message ${topic.slice(topic.lastIndexOf('/') + 1)}`, payload);
  };
  world.onLogged = (line) => {
    take('log', Buffer.from(line));
    logged.push(JSON.stringify({ time: '2026-01-01T00:00:00.000Z', level: 'info', ...JSON.parse(line) }));
  };
  world.onRest = rest;
  return world.run();
};

/** All that came of it, by place, as one hash each. */
const digestsOf = async (people: typeof ground.people, plan: ReturnType<typeof planWorld>) => {
  const hashes = new Map<string, ReturnType<typeof createHash>>();
  const world = new SimulatedWorld({ ...newGround(), people }, plan);
  const { hash } = await runTraced(world, (where, bytes) => {
    const known = hashes.get(where) ?? createHash('sha256');
    hashes.set(where, known.update(`${bytes.length} `).update(bytes));
  });
  const digests = [...hashes].map(([where, made]) => [where, made.digest('hex')] as const);
  return new Map<string, string>([['what happened', hash], ...digests]);
};

const pinsOf = async (plan: ReturnType<typeof planWorld>): Promise<readonly string[]> => {
  const [one, other] = [
    await digestsOf(await makePeople('1234'), plan),
    await digestsOf(await makePeople('9071'), plan),
  ];
  const places = new Set([...one.keys(), ...other.keys()]);
  return [...places].filter((where) => one.get(where) !== other.get(where));
};

const worlds = Math.ceil(share.sessions / visitsOfWorld);
for (let number = share.first; number < worlds; number += share.step) {
  const plan = planWorld(share.seed, number, Math.min(visitsOfWorld, share.sessions - number * visitsOfWorld));
  const hits = new Set<string>();
  const note = (where: string, found: readonly Needle[]): void => {
    for (const { what, encoding } of found) hits.add(`${what} in ${encoding}, ${where}`);
  };
  let [searched, journal] = [0, Buffer.alloc(0)];
  const files = new FileTraces(search);
  const world = new SimulatedWorld(newGround(), plan);
  const { accepted, violations } = await runTraced(world, (where, bytes) => {
    searched += bytes.length;
    if (where !== 'journal') return note(where, searchContent(search, bytes));
    journal = Buffer.from(bytes);
    note(where, files.look(where, journal));
  });
  // As a whole once more: of a long one only what had changed was opened.
  note('journal', searchContent(search, journal));
  if (violations.length > 0) throw new Error(`world ${number}: ${violations[0]?.promise}`);
  const looksAtPins = number % share.pinsEvery === 0 && !plan.isReal;
  const line: LeakLine = {
    ...{ world: number, visits: plan.visits.length, accepted, searched, hits: [...hits] },
    pinDifferences: looksAtPins ? await pinsOf(plan) : null,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
ground.facility.remove();
