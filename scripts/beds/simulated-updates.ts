import { hoursNow } from '../../src/core/update/closed-hours.ts';
import type { Slot } from '../../src/core/update/update.ts';
import { updateDelays } from '../../src/core/update/update-delays.ts';
import { slotOf } from '../../src/protocol/autoboot.ts';
import { createUpdateRunner, type UpdateRunner } from '../../src/terminal/update/update-runner.ts';
import {
  type Release,
  releaseIn,
  type SimulatedBundle,
  simulatedBoard,
  timing,
  type Wanted,
} from './simulated-board.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { type Hand, releaseOfPart, SimulatedDisk } from './simulated-disk.ts';

export const compatible = 'uketsuke-test-board';
const hours = { fromMinute: 7 * 60, untilMinute: 21 * 60 };

export type Story = {
  readonly first: Release;
  /** What lies in the folder, and from when on; each takes the place of the one before. */
  readonly offers: readonly { readonly atMs: number; readonly bundle: SimulatedBundle }[];
  readonly startsAtMs: number;
  /** Wall time at which the line is down and up again */
  readonly lineDown: readonly [number, number] | null;
  /** When somebody stands at the terminal, ms after the start of the story */
  readonly visitsAtMs: readonly number[];
  readonly agentVersionFromMs: readonly { readonly atMs: number; readonly version: string }[];
  readonly waveFromMs: number;
};

export type Findings = {
  unbootable: number;
  mixed: number;
  badBundlesAccepted: number;
  rowsLost: number;
  inOpeningHours: number;
  whileBusy: number;
  /** A release was tried more often than twice */
  tooManyTries: number;
  longestAwayMs: number;
  boots: number;
  /** The version that runs as the standard when all is quiet */
  endsWith: string | null;
};

export const nothingFound = (): Findings => ({
  ...{ unbootable: 0, mixed: 0, badBundlesAccepted: 0, rowsLost: 0, inOpeningHours: 0, whileBusy: 0 },
  ...{ tooManyTries: 0, longestAwayMs: 0, boots: 0, endsWith: null },
});

/** When the power goes: at the n-th write after it came (back). */
export type Cut = { readonly op: number; readonly falls: 'before' | 'into' | 'after' };

const longestStoryMs = 14 * 60 * 60_000;
/** While nothing is under way, and while something is. */
const stepMs = 30_000;
const shortStepMs = 2_000;

/** A board from the first power-on of a story until nothing more happens, through any number of power cuts. */
export class SimulatedWorld {
  readonly found = nothingFound();
  readonly disk: SimulatedDisk;
  readonly #story: Story;
  readonly #cuts: Cut[];
  readonly #releases: ReadonlyMap<string, Release>;
  readonly #accepted: number[] = [];
  #wallMs: number;
  #awaySinceMs: number | null = null;
  #visitsDone = 0;
  readonly #tries = new Map<string, number>();

  constructor(story: Story, cuts: readonly Cut[], hand: Hand = 'in-place') {
    this.#story = story;
    this.#cuts = [...cuts];
    this.#wallMs = story.startsAtMs;
    this.disk = new SimulatedDisk(story.first.name, story.first.form, hand);
    const all = [story.first, ...story.offers.map(({ bundle }) => bundle.release)];
    this.#releases = new Map(all.map((release) => [release.name, release]));
  }

  async run(): Promise<Findings> {
    let wanted: Wanted | 'power-cut' | 'watchdog' | 'quiet' = 'power-cut';
    const endsMs = this.#story.startsAtMs + longestStoryMs;
    while (wanted !== 'quiet' && this.#wallMs < endsMs && this.found.boots < 60) {
      this.disk.switchOn();
      const cut = this.#cuts.shift();
      if (cut !== undefined) this.disk.cutAfter(cut.op, cut.falls);
      wanted = await this.#boot(typeof wanted === 'object' && wanted.trial);
      if (wanted === 'quiet' && this.#cuts.length > 0) wanted = 'power-cut';
      // Without power nobody is away by our doing.
      if (wanted === 'power-cut') this.#awaySinceMs = null;
      else this.#awaySinceMs ??= this.#wallMs;
    }
    const standard = this.#standard();
    const release = standard === null ? null : releaseIn(this.disk, standard);
    this.found.endsWith = release === null ? null : (this.#releases.get(release)?.version ?? null);
    const rows = standard === null ? [] : (this.disk.state[standard]?.rows ?? []);
    this.found.rowsLost += this.#accepted.filter((row) => !rows.includes(row)).length;
    return this.found;
  }

  #standard(): Slot | null {
    return slotOf(this.disk.choice()?.standard);
  }

  /** One power-on: boot loader, kernel, program, until the next restart. */
  async #boot(tryboot: boolean): Promise<Wanted | 'power-cut' | 'watchdog' | 'quiet'> {
    const { disk, found } = this;
    found.boots += 1;
    const choice = disk.choice();
    const slot = slotOf(tryboot ? choice?.trial : choice?.standard);
    const standard = this.#standard();
    if (slot === null || standard === null) return this.#dead();
    const [boot, root] = [releaseOfPart(disk.slots[slot].boot), releaseOfPart(disk.slots[slot].root)];
    const release = this.#releases.get(boot ?? '');
    if (boot !== root && boot !== null && root !== null) found.mixed += 1;
    if (release === undefined || boot !== root) {
      if (slot === standard) return this.#dead();
      found.mixed += 1;
      return 'watchdog';
    }
    if (slot !== standard) this.#tries.set(release.name, (this.#tries.get(release.name) ?? 0) + 1);
    if ((this.#tries.get(release.name) ?? 0) > 2) found.tooManyTries += 1;
    const isAccepted = slot === standard && release.behaves !== 'good';
    if (isAccepted || (this.#isBad(release) && release.behaves === 'good')) found.badBundlesAccepted += 1;
    if (release.behaves === 'panics' || release.behaves === 'hangs' || release.behaves === 'mute') {
      if (slot === standard) return this.#dead();
      this.#wallMs += release.behaves === 'panics' ? timing.panicMs : timing.watchdogMs;
      return 'watchdog';
    }
    this.#wallMs += timing.bootMs;
    return this.#live(release, slot, slot === standard);
  }

  #dead(): 'quiet' {
    this.found.unbootable += 1;
    this.#cuts.length = 0;
    return 'quiet';
  }

  /** Runs by a bundle that had to be refused */
  #isBad(release: Release): boolean {
    const { offers, first } = this.#story;
    const from = offers.filter(({ bundle }) => bundle.release.name === release.name);
    return release.name !== first.name && from.length > 0 && from.every(({ bundle }) => isBadBundle(bundle, first));
  }

  async #openState(release: Release, slot: Slot): Promise<boolean> {
    const folder = this.disk.state[slot];
    if (folder === null) return false;
    if (folder.form > release.form) {
      this.found.mixed += 1;
      return false;
    }
    if (folder.form < release.form)
      await this.disk.op(() => {
        folder.form = release.form;
      });
    return true;
  }

  async #live(release: Release, slot: Slot, isStandard: boolean): Promise<Wanted | 'power-cut' | 'watchdog' | 'quiet'> {
    const { disk, found } = this;
    const clock = new SimulatedClock(this.#wallMs);
    const began = { ...clock.now() };
    let restart: Wanted | null = null;
    let serves = false;
    let busyUntilMs = 0;
    const sinceStart = (): number => clock.now().wallMs - this.#story.startsAtMs;
    const hoursAt = (neededMs: number) =>
      hoursNow({ wallMs: clock.now().wallMs, certainty: 'confirmed' }, hours, neededMs);
    const isLineUp = (): boolean => {
      const [from, until] = this.#story.lineDown ?? [0, 0];
      return clock.now().wallMs < from || clock.now().wallMs >= until;
    };
    const board = simulatedBoard({
      ...{ disk, clock, running: release, booted: slot, compatible, isLineUp },
      bundles: this.#story.offers.map(({ bundle }) => bundle),
      restart: (wanted) => {
        if (isStandard && hoursAt(0) !== 'closed') found.inOpeningHours += 1;
        if (clock.now().monotonicMs < busyUntilMs) found.whileBusy += 1;
        restart = wanted;
      },
      openState: (of) => this.#openState(release, of),
    });
    const runner = createUpdateRunner({ board, clock }, (update, _event, effects) => {
      if (update.state.name !== 'starting' && update.board.booted === update.board.standard) serves = true;
      if (effects.some(({ type }) => type === 'Install') && hoursAt(0) !== 'closed') found.inOpeningHours += 1;
    });
    await runner.start();
    let offered: string | null = null;
    for (;;) {
      if (serves && !disk.isOff) await this.#serve(release, slot, clock.now().wallMs);
      if (serves && this.#story.visitsAtMs.some((at) => at <= sinceStart() && at > sinceStart() - stepMs))
        busyUntilMs = clock.now().monotonicMs + 45_000;
      const next = this.#story.offers.findLast(({ atMs }) => atMs <= sinceStart())?.bundle;
      if (next !== undefined && next.id !== offered) {
        offered = next.id;
        runner.tell({ type: 'BundleOffered', bundle: next });
      }
      runner.tell({
        type: 'SurroundingsChanged',
        surroundings: {
          isIdle: clock.now().monotonicMs >= busyUntilMs,
          hours: hoursAt(updateDelays.beforeOpeningMs),
          wave: sinceStart() >= this.#story.waveFromMs ? 'go' : 'wait',
          agentVersion: this.#story.agentVersionFromMs.findLast(({ atMs }) => atMs <= sinceStart())?.version ?? null,
        },
      });
      const isResting = ['current', 'waiting', 'installing'].includes(runner.update().state.name);
      await clock.advance(isResting ? stepMs : shortStepMs, settle);
      const ranMs = clock.now().monotonicMs - began.monotonicMs;
      const ended = disk.isOff ? 'power-cut' : restart;
      const isQuiet = this.#isQuiet(runner, sinceStart());
      const isOver = !serves && ranMs > timing.watchdogMs;
      if (ended === null && !isQuiet && !isOver && sinceStart() < longestStoryMs) continue;
      runner.close();
      this.#wallMs = clock.now().wallMs;
      return ended ?? (isQuiet || serves ? 'quiet' : 'watchdog');
    }
  }

  /** What the standard release does all day: it opens its state, and signs a row for who comes. */
  async #serve(release: Release, slot: Slot, nowMs: number): Promise<void> {
    if (this.#awaySinceMs !== null) {
      this.found.longestAwayMs = Math.max(this.found.longestAwayMs, nowMs - this.#awaySinceMs);
      this.#awaySinceMs = null;
    }
    void (async () => {
      if (!(await this.#openState(release, slot))) return;
      const due = this.#story.visitsAtMs.filter((at) => at <= nowMs - this.#story.startsAtMs).length;
      while (this.#visitsDone < due) {
        const row = this.#visitsDone;
        this.#visitsDone += 1;
        await this.disk.op(() => {
          this.disk.state[slot]?.rows.push(row);
          this.#accepted.push(row);
        });
      }
    })();
    await settle();
  }

  #isQuiet(runner: UpdateRunner, sinceStartMs: number): boolean {
    const { state, record, board } = runner.update();
    const last = this.#story.offers.at(-1);
    return (
      state.name === 'current' &&
      record.attempt === null &&
      board.booted === board.standard &&
      sinceStartMs > (last?.atMs ?? 0) + stepMs
    );
  }
}

/** Microtasks alone: nothing in the simulation waits for the machine. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn += 1) await null;
};

const isBadBundle = (bundle: SimulatedBundle, first: Release): boolean =>
  bundle.signature !== 'trusted' ||
  bundle.payloadTampered ||
  bundle.compatible !== compatible ||
  bundle.version.split('.').map(Number).join() === first.version.split('.').map(Number).join() ||
  isOlder(bundle.version, first.version);

/** Told apart from the product's own comparison, for versions of three numbers below 1000. */
const isOlder = (a: string, b: string): boolean => {
  const weigh = (text: string): number => text.split('.').reduce((sum, part) => sum * 1_000 + Number(part), 0);
  return !/^\d+\.\d+\.\d+$/.test(a) || weigh(a) < weigh(b);
};
