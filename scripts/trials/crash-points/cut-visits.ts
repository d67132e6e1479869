import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { judgeClinic, settledClinic } from '../judge-clinic.ts';
import { stepsWith } from '../misfortune-steps.ts';
import { MisfortunesBed } from '../misfortunes-bed.ts';
import { cutAfter, cutAt, watchCalls } from './cut-calls.ts';
import type { Cut } from './cut-migrations.ts';
import { Places } from './places.ts';
import type { CrashPoint, Watched } from './traced-calls.ts';

/*
 * A visit for each call by which one process of a clinic changes what lies on its disk: it dies there, and is started again.
 * The terminal keeps nothing itself: it dies at each call by which it tells the link or its page something.
 */

export const ends = ['agent', 'link', 'terminal'] as const;
type End = (typeof ends)[number];

/** What was deleted in a visit leaves the disk within a second after it: these writes are of that visit, not of the next. ms */
const forgetMs = 2_000;

/** A dead process is started again while the person waits: on a busy machine that took longer than the usual 30 s. ms */
const patienceMs = 150_000;

const states = ['freshly', 'inTheStride'] as const;
type State = (typeof states)[number];
type VisitCut = { readonly cut: string | null; readonly shown: readonly CrashPoint[]; readonly wrong: string | null };

class CutClinic {
  readonly bed = new MisfortunesBed();
  readonly #end: End;
  readonly #steps = stepsWith(this.bed, patienceMs);

  constructor(end: End) {
    this.#end = end;
  }

  get #pid(): number {
    const pid = this.bed[this.#end]?.child.pid;
    if (pid === undefined) throw new Error(`no ${this.#end}`);
    return pid;
  }
  get #isRunning(): boolean {
    return this.bed[this.#end]?.isRunning === true;
  }
  #begin(): Promise<void> {
    const { bed } = this;
    const begin = { agent: () => bed.startAgent(), link: () => bed.startLink(), terminal: () => bed.startTerminal() };
    return begin[this.#end]();
  }

  get #watched(): Watched {
    return this.#end === 'terminal' ? 'neighbours' : 'files';
  }
  /** It has just been started, after a death at which nothing was to do: a store is then opened and read anew. */
  async freshly(): Promise<void> {
    await this.#steps.idle();
    await this.bed[this.#end]?.end('SIGKILL');
    await this.#begin();
  }
  /** It has had a visit since its start: a store then begins with what the last one left to it. */
  async inTheStride(): Promise<void> {
    await this.#served();
    await settledClinic(this.bed);
  }
  /** A visit of which nothing is cut off. On a busy machine the first one after a start may come before the clinic is there. */
  async #served(): Promise<void> {
    const seen: string[] = [];
    while (seen.at(-1) !== 'accepted') {
      if (seen.length === 3) throw new Error(`nobody is served without a crash: ${seen}`);
      seen.push(await this.#steps.visit());
    }
  }

  /** What a visit changes on the disk, in order, until the agent has handed it on. */
  async watched(): Promise<readonly CrashPoint[]> {
    await this.#steps.idle();
    await delay(forgetMs);
    const stop = await watchCalls(this.#pid, this.bed.directory, this.#watched);
    if ((await this.#steps.visit()) !== 'accepted') throw new Error('nobody is served without a crash');
    await this.#steps.idle();
    await settledClinic(this.bed);
    await delay(forgetMs);
    return stop();
  }

  /** A visit with the process dying at the point, or at another that was not met yet where calls cannot be counted. */
  async visitCutAt(point: CrashPoint, places: Places<State>): Promise<VisitCut> {
    const { bed } = this;
    const steps = this.#steps;
    await steps.idle();
    await delay(forgetMs);
    const before = judgeClinic(bed);
    const isCounted = point.onFile !== null || this.#watched === 'neighbours';
    const cutting = isCounted
      ? await cutAt(this.#pid, bed.directory, point, this.#watched)
      : await cutAfter(this.#pid, bed.directory, point.role, (name) => places.isOpen(name));
    let wrong: string | null = null;
    const visit = steps.visit().catch((error: unknown) => {
      // A terminal that dies takes its screen with it: its visit is judged by what is left of it.
      if (this.#end !== 'terminal') wrong = `the visit did not end: ${error}`;
    });
    const isOver = visit.then(() => true);
    // Dead, or the visit is over and everything of it has been written.
    await Promise.race([
      eventually('the end of the process', () => (this.#isRunning ? undefined : true), patienceMs).catch(() => {}),
      isOver
        .then(() => steps.idle())
        .then(() => settledClinic(bed))
        .then(() => delay(forgetMs))
        .catch(() => {}),
    ]);
    await cutting.end();
    if (!this.#isRunning) await this.#begin();
    await visit;
    steps.take();
    await steps.idle();
    await settledClinic(bed).catch((error: unknown) => (wrong ??= String(error)));
    await eventually('an empty outbox', () => (bed.outbox() === 0 ? true : undefined), 60_000).catch(
      (error: unknown) => (wrong ??= String(error)),
    );
    const after = judgeClinic(bed);
    for (const kind of ['lost', 'twice', 'falseAccepted'] as const)
      if (after[kind] > before[kind]) wrong ??= `${after[kind] - before[kind]} ${kind}`;
    return { cut: cutting.cut(), shown: cutting.shown(), wrong };
  }

  /**
   * Once as the last visit left it, most often started anew in the midst of it; if that did not do, in the state in which the
   * place was first seen.
   */
  async visitPlace({ point, state, tries }: NonNullable<ReturnType<Places<State>['next']>>, places: Places<State>) {
    if (tries > 0) await this[state]();
    const done = await this.visitCutAt(point, places);
    places.show(done.shown, state);
    const isNew = done.cut !== null && !places.met.has(done.cut);
    if (done.cut !== null) places.meet(done.cut);
    if (!isNew) places.miss(point.name, done.cut === null ? done.shown : null);
    return done;
  }
}

type Wanted = {
  /** By the number of a point in its state */
  readonly isWanted: (index: number) => boolean;
  /** Names of points that an earlier run visited, and found nothing wrong */
  readonly done: ReadonlySet<string>;
};

/** A clinic of its own for each process, so that all three can be cut at the same time: a visit is mostly waiting for a finger. */
export async function* cutVisits(
  end: End,
  { isWanted, done }: Wanted,
  say: (line: string) => void,
): AsyncGenerator<Cut> {
  const clinic = new CutClinic(end);
  const places = new Places<State>(isWanted);
  const called = (name: string): string => `${end}: ${name}`;
  try {
    for (const name of done) {
      if (!name.startsWith(called(''))) continue;
      places.meet(name.slice(called('').length));
      yield { name, visited: true, wrong: null };
    }
    await clinic.bed.build();
    await clinic.inTheStride();
    for (const state of states) {
      await clinic[state]();
      const points = await clinic.watched();
      places.show(points, state);
      say(`${end}, ${state}: ${points.length} calls a visit`);
    }
    /** What went wrong in visits that are no place's own, by the place that they were made for */
    const wrongs = new Map<string, string>();
    const told = (name: string, visited: Cut['visited']): Cut => ({
      ...{ name: called(name), visited },
      wrong: wrongs.get(name) ?? null,
    });
    for (let place = places.next(); place !== null; place = places.next()) {
      const met = new Set(places.met);
      const { cut, wrong } = await clinic
        .visitPlace(place, places)
        .catch((error: unknown) => ({ cut: null, wrong: String(error) }));
      const isNew = cut !== null && !met.has(cut);
      if (wrong !== null) wrongs.set(isNew ? cut : place.point.name, wrong);
      if (isNew) yield told(cut, true);
    }
    for (const name of places.unmet) yield told(name, false);
    for (const name of places.absent) yield told(name, 'absent');
  } finally {
    await clinic.bed.close();
  }
}
