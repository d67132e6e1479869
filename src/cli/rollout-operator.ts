import { chmod, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { publicPart } from '../agent/provisioning/agent-keys.ts';
import { newKey } from '../agent/provisioning/make-device-keys.ts';
import { chainKeysOf, openPapers } from '../agent/rollout/open-rollout.ts';
import {
  freshMemory,
  type Health,
  judgeWaves,
  type Unwell,
  type WaveVerdict,
  withHeard,
  withOpened,
} from '../core/rollout/judge-waves.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import { compareVersions } from '../core/update/compare-versions.ts';
import { makeFolder } from '../storage/make-folder.ts';
import { orMissing } from '../storage/or-missing.ts';
import { parseJsonFile } from '../storage/parse-file.ts';
import { naming } from '../storage/read-given.ts';
import { copyDurably, giveToOwner, replaceDurably } from '../storage/rename-durably.ts';
import { hashOf } from '../trust/document-hash.ts';
import { importSigningKey, privateJwkSchema, readJsonFile } from '../trust/key-files.ts';
import { type SigningKey, sign } from '../trust/seal.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import {
  type RolloutKind,
  type RolloutOrder,
  type RolloutTrust,
  type RolloutWord,
  rolloutFileOf,
  rolloutFileSchema,
  rolloutKinds,
  rolloutTrustSchema,
} from '../wire/rollout-papers.ts';
import type { RolloutPlan } from './rollout-plan.ts';

/*
 * The operator's end of a chain's rollouts. Its directory holds what counts (papers, what was seen, the watch's key); the folder
 * that facilities look into is a copy of the papers, with the content beside it. The chain's key lies in neither.
 */

const names = { watchKey: 'watch-key.jwk.json', trust: 'rollout-trust.json', lock: 'rollout.lock' } as const;
const operatedFileOf = (kind: RolloutKind): string => `${kind}.operated.json`;

const percent = z.number().min(0).max(100);
const ms = z.number().min(0);
/** What is said and what is known, in one file: a cut leaves both of before, or both of after. */
const operatedSchema = z.strictObject({
  papers: rolloutFileSchema,
  limits: z.strictObject({ unwellPercent: percent, donePercent: percent, silentMs: ms, watchMs: ms }),
  wordMs: ms,
  memory: z.strictObject({
    wave: z.number().int(),
    openedAt: ms,
    heardAt: z.record(z.string(), ms),
    before: z.record(z.string(), z.array(z.string())),
    excused: z.array(z.string()),
  }),
  isStopped: z.boolean(),
  isFinished: z.boolean(),
  /** Who was unwell when it stopped, and why: said until it goes on */
  unwell: z.array(
    z.strictObject({
      facility: z.string(),
      wave: z.number().int(),
      reason: z.enum(['silent', 'alert', 'fell-back']),
      what: z.string(),
    }),
  ),
});
type Operated = z.infer<typeof operatedSchema>;

export type OperatorPlace = {
  /** The operator's own directory */
  readonly directory: string;
  /** What facilities look into */
  readonly folder: string;
  readonly nowMs: () => number;
};

/** One order, as the operator's directory has it. */
type Running = { readonly rollout: Rollout; readonly operated: Operated };
export type RolloutLook = {
  readonly kind: RolloutKind;
  readonly number: number;
  readonly wave: number;
  readonly waves: number;
  readonly step: WaveVerdict['step'] | 'stopped';
  /** Of a step that waits */
  readonly why?: Extract<WaveVerdict, { step: 'wait' }>['why'];
  readonly unwell: readonly Unwell[];
  readonly waitsFor: readonly string[];
};

/**
 * One at a time: of two looks at once the slower could publish that it goes on after the other has stopped it. The lock is the
 * system's, and ends with the process that has it: no number of a process that was cut off keeps anybody from a stop.
 */
const alone = async <T>({ directory }: OperatorPlace, work: () => Promise<T>): Promise<T> => {
  const path = join(directory, names.lock);
  // The directory is the operator's; SQLite would name neither it nor what is wrong.
  await (await open(path, 'a', 0o600)).close();
  giveToOwner(path);
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    try {
      lock.exec('BEGIN EXCLUSIVE');
    } catch {
      throw new Error(`${path}: another \`uketsuke rollout\` is at work; try again in a minute`);
    }
    return await work();
  } finally {
    lock.close();
  }
};

const readKey = async (path: string): Promise<SigningKey> =>
  importSigningKey(await readJsonFile(privateJwkSchema, path));
const watchKeyOf = ({ directory }: OperatorPlace): Promise<SigningKey> => readKey(join(directory, names.watchKey));
const trustOf = ({ directory }: OperatorPlace): Promise<RolloutTrust> =>
  readJsonFile(rolloutTrustSchema, join(directory, names.trust));

/** Throws for a key that facilities do not trust: nothing signed by it would ever be taken. */
const chainKeyOf = async (place: OperatorPlace, path: string): Promise<{ chain: string; key: SigningKey }> => {
  const { chain, keys } = await trustOf(place);
  const key = await readKey(path);
  if (!keys.some(({ kid }) => kid === key.kid)) throw new Error(`${path}: not a key of rollout-trust.json`);
  return { chain, key };
};

const signed = async (kind: Parameters<typeof sign>[0], message: object, key: SigningKey): Promise<string> =>
  new TextDecoder().decode(await sign(kind, message, key));

/** The chain's keys, the watch's, and the file that a technician lays beside each agent. What is there stays. */
export const initOperator = async (directory: string, chain: string, keyPath: string): Promise<string> => {
  await makeFolder(directory, 0o700);
  const kept = async (path: string) => {
    const there = await readFile(path, 'utf8').catch(orMissing).catch(naming(path));
    if (there !== null) return parseJsonFile(path, there, privateJwkSchema);
    const made = await newKey('ES256');
    await writeFileAtomically(path, `${JSON.stringify(made, null, 2)}\n`);
    return made;
  };
  const key = await kept(keyPath);
  await kept(join(directory, names.watchKey));
  const path = join(directory, names.trust);
  const there = await readFile(path, 'utf8').catch(orMissing);
  const known = there === null ? { chain, keys: [] } : parseJsonFile(path, there, rolloutTrustSchema);
  if (known.chain !== chain) throw new Error(`${path}: of another chain (${known.chain})`);
  const trust = { chain, keys: [...known.keys.filter(({ kid }) => kid !== key.kid), publicPart(key)] };
  await writeFileAtomically(path, `${JSON.stringify(trust, null, 2)}\n`);
  return path;
};

const runningOf = async (place: OperatorPlace, kind: RolloutKind): Promise<Running | null> => {
  const path = join(place.directory, operatedFileOf(kind));
  const text = await readFile(path, 'utf8').catch(orMissing);
  if (text === null) return null;
  const operated = parseJsonFile(path, text, operatedSchema);
  const rollout = await openPapers(operated.papers, kind, await chainKeysOf(await trustOf(place)));
  if (!rollout.ok) throw new Error(`${path}: not signed by a key of rollout-trust.json`);
  return { operated, rollout: rollout.value };
};

/** First where it counts, then where facilities look: cut off in between, the next look publishes it. */
const publish = async ({ directory, folder }: OperatorPlace, kind: RolloutKind, operated: Operated): Promise<void> => {
  await writeFileAtomically(join(directory, operatedFileOf(kind)), `${JSON.stringify(operated)}\n`);
  await makeFolder(folder);
  replaceDurably(join(folder, rolloutFileOf(kind)), `${JSON.stringify(operated.papers)}\n`, 0o644);
};

/** Says how it stands, freshly dated. */
const say = async (
  place: OperatorPlace,
  { rollout, operated }: Running,
  consent: string | null = operated.papers.consent,
): Promise<void> => {
  const { order, orderHash, word } = rollout;
  const issuedAt = place.nowMs();
  const { chain, kind, number } = order;
  const message: RolloutWord = {
    ...{ chain, kind, number, order: orderHash, sequence: word.sequence + 1 },
    ...{ wave: operated.memory.wave, stopped: operated.isStopped },
    ...{ issuedAt, expiresAt: issuedAt + operated.wordMs },
  };
  const watch = await watchKeyOf(place);
  // A word by another key is nobody's: here, too, the order could not be read any more.
  if (watch.kid !== order.watch.kid)
    throw new Error(`order ${number} (${kind}) is of another watch key: somebody with the chain's key signs it anew`);
  const said = await signed('rollout-word', message, watch);
  await publish(place, kind, { ...operated, papers: { ...operated.papers, word: said, consent } });
};

/** Who is at work in the chain now; one order at a time, as nobody could tell which of two did harm. */
const refuseBeside = async (place: OperatorPlace, kind: RolloutKind, isGoingOn: boolean): Promise<void> => {
  for (const each of rolloutKinds) {
    const other = await runningOf(place, each);
    if (other === null || other.operated.isFinished || other.operated.isStopped || (isGoingOn && each === kind))
      continue;
    const { number } = other.rollout.order;
    throw new Error(`order ${number} (${each}) is not finished: one at a time; stop it first (uketsuke rollout stop)`);
  }
};

const contentBeside = async (folder: string, { content }: RolloutPlan): Promise<void> => {
  await makeFolder(folder);
  for (const { entry, from } of content) {
    const path = join(folder, entry.sha256);
    // Under this name nothing else may lie: a link would be followed.
    await rm(path, { force: true });
    if (typeof from === 'string') copyDurably(from, path);
    else await writeFile(path, from, { flag: 'wx', flush: true });
    // Of a bundle that only its maker may read, facilities would see nothing.
    await chmod(path, 0o644);
  }
};

/** The next order of its kind, for nobody yet: the first look that finds the first wave well opens it. Answers its number. */
export const signOrder = (place: OperatorPlace, plan: RolloutPlan, keyPath: string): Promise<number> =>
  alone(place, async () => {
    const { chain, key } = await chainKeyOf(place, keyPath);
    const { kind, version, waves, content, lifeMs, limits, wordMs } = plan;
    await refuseBeside(place, kind, false);
    const former = await runningOf(place, kind);
    const formerVersion = former?.rollout.order.version;
    if (version !== null && formerVersion !== undefined && (compareVersions(version, formerVersion) ?? -1) < 0)
      throw new Error(`${version} is older than ${formerVersion} of the order before: facilities would refuse it`);
    const watch = await readJsonFile(privateJwkSchema, join(place.directory, names.watchKey));
    const issuedAt = place.nowMs();
    const order: RolloutOrder = {
      ...{ chain, kind, number: (former?.rollout.order.number ?? 0) + 1, waves },
      ...(version !== null && { version }),
      content: content.map(({ entry }) => entry),
      ...{ paceMs: limits.watchMs, watch: publicPart(watch), issuedAt, expiresAt: issuedAt + lifeMs },
    };
    await contentBeside(place.folder, plan);
    const paper = await signed('rollout-order', order, key);
    const word: RolloutWord = {
      ...{ chain, kind, number: order.number, order: hashOf(new TextEncoder().encode(paper)) },
      ...{ sequence: 1, wave: 0, stopped: false, issuedAt, expiresAt: issuedAt + wordMs },
    };
    const said = await signed('rollout-word', word, await importSigningKey(watch));
    await publish(place, kind, {
      ...{ papers: { order: paper, word: said, consent: null }, limits, wordMs },
      ...{ memory: { ...freshMemory, heardAt: {}, before: {}, excused: [] } },
      ...{ isStopped: false, isFinished: false, unwell: [] },
    });
    return order.number;
  });

const lookOf = ({ rollout: { order }, operated }: Running, more: Partial<RolloutLook>): RolloutLook => ({
  ...{ kind: order.kind, number: order.number, wave: operated.memory.wave, waves: order.waves.length },
  ...{ step: 'stopped', unwell: [], waitsFor: [], ...more },
});

const stopNow = async (place: OperatorPlace, running: Running, unwell: readonly Unwell[]): Promise<RolloutLook> => {
  const stopped = { ...running, operated: { ...running.operated, isStopped: true, unwell: [...unwell] } };
  await say(place, stopped);
  return lookOf(stopped, { step: 'stop', unwell });
};

const lookAt = async (place: OperatorPlace, running: Running, health: Health): Promise<RolloutLook> => {
  const { rollout, operated } = running;
  // A stop is said again for whoever has not heard it; a finished order goes on for those who come late.
  if (operated.isStopped || operated.isFinished) {
    await say(place, running);
    return lookOf(running, { step: operated.isStopped ? 'stopped' : 'finished', unwell: operated.unwell });
  }
  const { order } = rollout;
  const nowMs = place.nowMs();
  const heard = withHeard(operated.memory, health, nowMs);
  const verdict = judgeWaves(order, heard, health, operated.limits, nowMs);
  if (verdict.step === 'stop') return stopNow(place, running, verdict.unwell);
  const memory = verdict.step === 'open' ? withOpened(heard, order, verdict.wave, health, nowMs) : heard;
  const now: Running = {
    rollout,
    operated: { ...operated, memory: memory as Operated['memory'], isFinished: verdict.step === 'finished' },
  };
  await say(place, now);
  return verdict.step === 'wait'
    ? lookOf(now, { step: 'wait', why: verdict.why, waitsFor: verdict.facilities })
    : lookOf(now, { step: verdict.step });
};

/** One look at all orders: opens, waits, stops, finishes, and says so, freshly dated. `told` hears of each, whatever is wrong with another. */
export const lookAtRollouts = async (
  place: OperatorPlace,
  readHealth: () => Promise<Health>,
  told: (look: RolloutLook) => void = () => {},
): Promise<readonly RolloutLook[]> => {
  // Before the lock: a Prometheus that is late keeps nobody from a stop by hand.
  const health = await readHealth();
  return alone(place, async () => {
    const looks: RolloutLook[] = [];
    const failed: unknown[] = [];
    for (const kind of rolloutKinds) {
      try {
        const running = await runningOf(place, kind);
        if (running === null) continue;
        const look = await lookAt(place, running, health);
        looks.push(look);
        told(look);
      } catch (error) {
        failed.push(error);
      }
    }
    // Whatever is wrong with one kind, the others are looked at.
    if (failed.length > 0) throw failed[0];
    return looks;
  });
};

const runningOrThrow = async (place: OperatorPlace, kind: RolloutKind): Promise<Running> => {
  const running = await runningOf(place, kind);
  if (running === null) throw new Error(`no order of kind ${kind} was signed here`);
  return running;
};

/** By hand, without the chain's key: whoever sees harm may stop. */
export const stopRollout = (place: OperatorPlace, kind: RolloutKind): Promise<RolloutLook> =>
  alone(place, async () => stopNow(place, await runningOrThrow(place, kind), []));

/** A person with the chain's key lifts exactly this stop. Whoever was unwell is let pass as they are, and is answered. */
export const goOnWithRollout = (place: OperatorPlace, kind: RolloutKind, keyPath: string): Promise<readonly string[]> =>
  alone(place, async () => {
    const { chain, key } = await chainKeyOf(place, keyPath);
    const running = await runningOrThrow(place, kind);
    if (!running.operated.isStopped) throw new Error(`order ${running.rollout.order.number} (${kind}) is not stopped`);
    await refuseBeside(place, kind, true);
    const { order, orderHash, word } = running.rollout;
    const issuedAt = place.nowMs();
    const consent = await signed(
      'rollout-consent',
      {
        ...{ chain, kind, number: order.number, order: orderHash, lifts: word.sequence },
        ...{ issuedAt, expiresAt: order.expiresAt },
      },
      key,
    );
    const { operated } = running;
    const unwell = operated.unwell.map(({ facility }) => facility);
    const excused = [...new Set([...operated.memory.excused, ...unwell])];
    const memory = { ...operated.memory, openedAt: issuedAt, excused };
    await say(place, { ...running, operated: { ...operated, memory, isStopped: false, unwell: [] } }, consent);
    return excused;
  });
