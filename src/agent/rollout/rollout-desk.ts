import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { err, ok, type Result } from '../../core/result.ts';
import {
  type HeldRollout,
  heldAsTaken,
  holdsBack,
  judgeRollout,
  type Rollout,
  type RolloutReason,
} from '../../core/rollout/rollout.ts';
import { sameContent } from '../../core/same-content.ts';
import { hoursNow, openingHoursOf } from '../../core/update/closed-hours.ts';
import { isAtLeast } from '../../core/update/compare-versions.ts';
import { updateDelays } from '../../core/update/update-delays.ts';
import { describeError } from '../../log/event-log.ts';
import { freeBytesIn } from '../../storage/free-bytes.ts';
import { hashOfFile } from '../../storage/hash-of-file.ts';
import { makeFolder } from '../../storage/make-folder.ts';
import { parseJson } from '../../storage/parse-file.ts';
import { giveToOwner, renameDurably } from '../../storage/rename-durably.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import { type RolloutContent, type RolloutKind, type RolloutOrder, rolloutKinds } from '../../wire/rollout-papers.ts';
import { releaseOf } from '../../wire/versions.ts';
import type { AgentContext } from '../agent-context.ts';
import type { Lane } from '../desk/lanes.ts';
import { type HeldRollouts, noRollouts, readHeldRollouts } from './held-rollouts.ts';
import { type ChainTrust, openFileOf, openRollout, openTrust, readAtMost } from './open-rollout.ts';
import { type RolloutSettings, rolloutSettingsSchema } from './rollout-settings.ts';

/** Left free beside a release: the journal's disk has to take visits. A hospital's of ten months (docs/capacity.md). Bytes */
const spareBytes = 500_000_000;
/**
 * A share that hangs gives no look an end: after this nothing is known of a stop. Chosen: twenty looks. The look that copies a
 * release over a slow line may last longer; meanwhile no release is given out, so that it holds up nobody. ms
 */
const hungMs = 10 * 60_000;
/** Of settings or keys. Bytes */
const longestText = 1_000_000;

type RolloutPlaces = {
  /** Where the chain's orders lie: a share, or a folder that something else keeps the same */
  readonly folder: string;
  /** Whom to believe (rollout-trust.json) */
  readonly trust: string;
  /** rollout-held.json */
  readonly held: string;
  /** Of releases for terminals */
  readonly bundles: string;
  /** Bytes that a folder takes; another in tests */
  readonly freeBytes?: (folder: string) => Promise<number>;
};
type RolloutChoices = {
  readonly ownRelease: boolean;
  readonly closedFrom: string;
  readonly closedUntil: string;
};
type Context = Pick<AgentContext, 'clock' | 'time' | 'log' | 'changed'> & { readonly facility: () => string };
/** Rejects settings that this release cannot be given */
type TrySettings = (laid: RolloutSettings) => Promise<unknown>;

/** Of one kind, for figures and staff. `why`: null where all is well, or nothing was ever published */
export type RolloutStand = {
  readonly kind: RolloutKind;
  readonly number: number;
  readonly taken: boolean;
  readonly done: boolean;
  readonly why: RolloutReason | null;
};

/** Of the release, the version that terminals are to have. */
const hasFollowed = (version: string | null, lanes: readonly Lane[]): boolean => {
  const told = lanes.flatMap(({ state }) => state ?? []);
  const withSlots = told.filter(({ update }) => update !== undefined);
  const follows = withSlots.every(
    (state) => state.code !== 'update.on-trial' && isAtLeast(releaseOf(state.version), version ?? ''),
  );
  return told.length > 0 && follows;
};

/**
 * Follows what the chain's operator publishes: looks, takes what is this facility's now, and gives nothing out that has no fresh
 * word for it. A release lies under its name in the folder of bundles only while it may go on; else beside it, `.withheld`.
 * One look at a time: a share that hangs holds up nothing else.
 */
export class RolloutDesk {
  readonly #context: Context;
  readonly #places: RolloutPlaces;
  readonly #choices: RolloutChoices;
  readonly #try: TrySettings;
  #held: HeldRollouts;
  /** The disk did not take what was seen last */
  #isBehind = false;
  /** What was held cannot be read: until somebody has looked, nothing is taken and nobody goes on */
  readonly #isDamaged: boolean;
  #why: Partial<Record<RolloutKind, RolloutReason | null>> = {};
  /** Whether terminals may have the release; nobody may before the first look of this run */
  #mayOffer = false;
  /** Whether the release lies under its name; null: not known yet in this run */
  #isOffered: boolean | null = null;
  #looking: Promise<void> | null = null;
  /** On the clock that nobody sets */
  #lookedAtMs: number;

  constructor(
    context: Context,
    places: RolloutPlaces,
    choices: RolloutChoices,
    held: HeldRollouts | null,
    trySettings: TrySettings,
  ) {
    this.#context = context;
    this.#places = places;
    this.#choices = choices;
    this.#held = held ?? noRollouts;
    this.#isDamaged = held === null;
    this.#try = trySettings;
    this.#lookedAtMs = context.clock.now().monotonicMs;
  }

  static async open(context: Context, places: RolloutPlaces, choices: RolloutChoices, trySettings: TrySettings) {
    const held = await readHeldRollouts(places.held).catch(() => null);
    return new RolloutDesk(context, places, choices, held, trySettings);
  }

  /** Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtAll()
      .then(() => {
        this.#lookedAtMs = this.#context.clock.now().monotonicMs;
      })
      .catch((error: unknown) => this.#context.log.event('process.error', describeError(error)))
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }

  stands(lanes: readonly Lane[]): readonly RolloutStand[] {
    return rolloutKinds.map((kind) => {
      const { number, taken, floor } = this.#held[kind];
      const done = taken && (kind !== 'release' || hasFollowed(floor, lanes));
      return { kind, number, taken, done, why: this.#why[kind] ?? null };
    });
  }

  /** Whether no lane may go on to a release, even one whose terminal has fetched it. `version`: of this agent */
  holdsBack(version: string): boolean {
    if (this.#choices.ownRelease) return false;
    const { release = 'unreadable' } = this.#why;
    return this.#isDamaged || holdsBack(this.#held.release, this.#isHung() ? 'unreadable' : release, version);
  }

  /**
   * Whether a file of the folder of bundles is the chain's and may not be given out, though it lies under its name: a disk that
   * takes no new name, a share that hangs, and the time before the first look keep no stop from terminals.
   */
  withholds(sha256: string): boolean {
    if (this.#choices.ownRelease) return false;
    const isChains = this.#held.files.some((file) => file.sha256 === sha256);
    return this.#isDamaged || (isChains && (!this.#mayOffer || this.#isHung()));
  }

  #isHung(): boolean {
    return this.#context.clock.now().monotonicMs - this.#lookedAtMs > hungMs;
  }

  async #lookAtAll(): Promise<void> {
    const trust = await readFile(this.#places.trust, 'utf8').then(openTrust, () => null);
    for (const kind of rolloutKinds) {
      const why = this.#isDamaged ? 'memory-damaged' : await this.#follow(kind, trust);
      if (why === this.#why[kind]) continue;
      this.#why[kind] = why;
      this.#context.log.event('rollout.step', { kind, number: this.#held[kind].number, ...(why !== null && { why }) });
      this.#context.changed();
    }
  }

  async #follow(kind: RolloutKind, trust: ChainTrust | null): Promise<RolloutReason | null> {
    if (kind === 'release' && this.#choices.ownRelease) await this.#leave();
    const rollout = await openRollout(this.#places.folder, kind, trust?.keys ?? []);
    if (rollout === null && this.#held[kind].number === 0) return null;
    if (trust === null) return this.#withhold(kind, 'forged');
    if (rollout?.ok !== true) return this.#withhold(kind, rollout?.failure ?? 'unreadable');
    const { wallMs, certainty } = this.#context.time();
    const { held, go, why } = judgeRollout(this.#held[kind], rollout.value, {
      ...{ chain: trust.chain, facility: this.#context.facility(), time: { wallMs, certainty } },
      hours: hoursNow({ wallMs, certainty }, openingHoursOf(this.#choices), updateDelays.beforeOpeningMs),
      isKept: kind === 'release' && this.#choices.ownRelease,
    });
    // What stops comes first, then the disk: a full one stops, too.
    if (!go) await this.#withhold(kind, why ?? 'unreadable');
    const isKept = await this.#see(kind, held);
    if (!go) return why;
    if (!isKept) return this.#withhold(kind, 'unwritable');
    if (!held.taken || (kind === 'release' && (await this.#isLost()))) {
      const refused = await this.#take(kind, rollout.value, trust);
      if (refused !== null) return this.#withhold(kind, refused);
    } else if (kind === 'settings' && !(await this.#isGood(this.#held.laid))) return 'unusable';
    return kind === 'release' && !(await this.#offer(true)) ? 'unwritable' : null;
  }

  async #withhold(kind: RolloutKind, why: RolloutReason): Promise<RolloutReason> {
    if (kind === 'release') await this.#offer(false);
    return why;
  }

  /** This facility keeps its own from now on: what the chain has brought goes, and what lies there later is the facility's. */
  async #leave(): Promise<void> {
    if (this.#held.files.length === 0 || !(await this.#offer(false))) return;
    await this.#begin({ ...this.#held, files: [], release: { ...this.#held.release, taken: false } });
  }

  /** false: the disk did not take it. What has been seen, and what is stopped, holds all the same. */
  async #see(kind: RolloutKind, seen: HeldRollout): Promise<boolean> {
    const next = { ...this.#held, [kind]: seen };
    const isNews = !sameContent(next, this.#held);
    this.#held = next;
    return isNews || this.#isBehind ? this.#write(next) : true;
  }

  /** What is in force begins once it is on the disk. */
  async #begin(next: HeldRollouts): Promise<RolloutReason | null> {
    if (!(await this.#write(next))) return 'unwritable';
    this.#held = next;
    return null;
  }

  async #write(held: HeldRollouts): Promise<boolean> {
    this.#isBehind = await writeFileAtomically(this.#places.held, `${JSON.stringify(held)}\n`).then(
      () => false,
      () => true,
    );
    return !this.#isBehind;
  }

  /** null: it is in force now. Cut off anywhere, nothing of it is in force, and the next look begins again. */
  async #take(kind: RolloutKind, { order, orderHash }: Rollout, trust: ChainTrust): Promise<RolloutReason | null> {
    const next = { ...this.#held, [kind]: heldAsTaken(this.#held[kind], order) };
    if (kind === 'release') {
      // The former one first: once the next lies beside, it would be laid over it.
      if (!(await this.#offer(false))) return 'unwritable';
      return (await this.#fetch(order)) ?? this.#begin(await this.#withFiles(next, order));
    }
    const read = await this.#read(order);
    if (!read.ok) return read.failure;
    if (kind === 'keys') return (await this.#takeKeys(read.value, trust, orderHash)) ?? this.#begin(next);
    const laid = parseJson(read.value, rolloutSettingsSchema);
    if (laid === null || !(await this.#isGood(laid))) return 'unusable';
    return this.#begin({ ...next, laid });
  }

  /** From now on other files are the release; what it leaves behind goes. */
  async #withFiles(next: HeldRollouts, { content }: RolloutOrder): Promise<HeldRollouts> {
    const gone = this.#held.files.filter(({ name }) => content.every((each) => each.name !== name));
    for (const { name } of gone) await rm(withheldOf(join(this.#places.bundles, name)), { force: true });
    this.#isOffered = null;
    return { ...next, files: content };
  }

  #isGood(laid: RolloutSettings): Promise<boolean> {
    return this.#try(laid).then(
      () => true,
      () => false,
    );
  }

  /** The next keys hold if by them the order that brings them would be taken, too: a mistake locks nobody out. */
  async #takeKeys(text: string, { chain }: ChainTrust, orderHash: string): Promise<RolloutReason | null> {
    const next = await openTrust(text);
    const again = await openRollout(this.#places.folder, 'keys', next?.keys ?? []);
    if (next?.chain !== chain || again?.ok !== true || again.value.orderHash !== orderHash) return 'unusable';
    return writeFileAtomically(this.#places.trust, text).then(
      () => null,
      () => 'unwritable' as const,
    );
  }

  /** The one text of an order of settings or keys, as it was signed. */
  async #read({ content }: RolloutOrder): Promise<Result<string, RolloutReason>> {
    const [first] = content;
    if (first === undefined || content.length > 1 || first.bytes > longestText) return err('unusable');
    const text = await readAtMost(join(this.#places.folder, first.sha256), first.bytes + 1).catch(() => null);
    if (text === null || text.length < first.bytes) return err('content-missing');
    const isSame = createHash('sha256').update(text).digest('hex') === first.sha256;
    return isSame ? ok(text.toString('utf8')) : err('content-changed');
  }

  /** The release's files, whole and on the disk, beside the names that terminals are given. null: they are there */
  async #fetch({ content }: RolloutOrder): Promise<RolloutReason | null> {
    const { folder, bundles, freeBytes = freeBytesIn } = this.#places;
    const aside = join(bundles, '.rollout.part');
    for (const { sha256, bytes } of content) {
      const size = await sizeOf(join(folder, sha256));
      if (size === null || size < bytes) return 'content-missing';
      if (size !== bytes) return 'content-changed';
    }
    try {
      await makeFolder(bundles, 0o700);
      // Of one that was cut off: a gigabyte that nobody else removes.
      await rm(aside, { force: true });
      const whole = content.reduce((sum, { bytes }) => sum + bytes, 0);
      if ((await freeBytes(bundles)) < whole + spareBytes) return 'no-room';
      for (const { name, sha256, bytes } of content) {
        const source = await openFileOf(join(folder, sha256)).catch(() => null);
        if (source === null) return 'content-missing';
        const isSame = await copyWhole(source, aside, withheldOf(join(bundles, name)), { sha256, bytes });
        if (!isSame) return 'content-changed';
      }
      return null;
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      // A share that goes away in the midst is not this machine's disk.
      if (syscall === 'read') return 'content-missing';
      return code === 'ENOSPC' ? 'no-room' : 'unwritable';
    }
  }

  /** Somebody has emptied the folder, or this is another PC: what is in force has to come anew. */
  async #isLost(): Promise<boolean> {
    if (this.#isOffered === true) return false;
    for (const { name } of this.#held.files) {
      const path = join(this.#places.bundles, name);
      if ((await sizeOf(path)) === null && (await sizeOf(withheldOf(path))) === null) return true;
    }
    return false;
  }

  /** Gives the release that is held to terminals, or takes it from where they ask. Another file of that name is not ours. */
  async #offer(isOffered: boolean): Promise<boolean> {
    this.#mayOffer = isOffered;
    if (this.#isOffered === isOffered) return true;
    try {
      for (const { name, sha256 } of this.#held.files) {
        const path = join(this.#places.bundles, name);
        const [from, to] = isOffered ? [withheldOf(path), path] : [path, withheldOf(path)];
        const size = await sizeOf(from);
        if (size !== null && (await hashOfFile(from)) === sha256) renameDurably(from, to);
      }
      this.#isOffered = isOffered;
      return true;
    } catch {
      return false;
    }
  }
}

const withheldOf = (path: string): string => `${path}.withheld`;

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ size }) => size,
    () => null,
  );

/** false: it is not what was signed, and is not kept. Rejects as the file system does. */
const copyWhole = async (
  from: FileHandle,
  aside: string,
  to: string,
  { sha256, bytes }: Pick<RolloutContent, 'sha256' | 'bytes'>,
): Promise<boolean> => {
  try {
    // No more than was signed, however long it has become; what lies here is judged, not what lay there.
    await pipeline(from.createReadStream({ end: bytes - 1 }), createWriteStream(aside, { mode: 0o600 }));
    if ((await hashOfFile(aside)) !== sha256) return false;
    const file = await open(aside, 'r+');
    await file.sync().finally(() => file.close());
    giveToOwner(aside);
    renameDurably(aside, to);
    return true;
  } finally {
    await rm(aside, { force: true });
  }
};
