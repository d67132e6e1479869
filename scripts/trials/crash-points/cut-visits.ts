import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { judgeClinic, settledClinic } from '../judge-clinic.ts';
import { stepsWith } from '../misfortune-steps.ts';
import { MisfortunesBed } from '../misfortunes-bed.ts';
import type { Cut } from './cut-migrations.ts';
import { type CrashPoint, cutAt, shiftsOf, type Watched, watchCalls } from './traced-calls.ts';

/*
 * A visit for each call by which one process of a clinic changes what lies on its disk: it dies there, and is started again.
 * The terminal keeps nothing itself: it dies at each call by which it tells the link or its page something.
 */

export const ends = ['agent', 'link', 'terminal'] as const;
export type End = (typeof ends)[number];

/** What was deleted in a visit leaves the disk within a second after it: these writes are of that visit, not of the next. ms */
const forgetMs = 2_000;

class CutClinic {
  readonly bed = new MisfortunesBed();
  readonly #end: End;
  readonly #steps = stepsWith(this.bed);

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
    if ((await this.#steps.visit()) !== 'accepted') throw new Error('nobody is served without a crash');
    await settledClinic(this.bed);
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

  /** A visit with the process dying at the point; answers the name of what was cut off, or null, and what went wrong. */
  async visitCutAt(point: CrashPoint): Promise<{ cut: string | null; wrong: string | null }> {
    const { bed } = this;
    const steps = this.#steps;
    await steps.idle();
    await delay(forgetMs);
    const before = judgeClinic(bed);
    const cutting = await cutAt(this.#pid, bed.directory, point, this.#watched);
    let wrong: string | null = null;
    const visit = steps.visit().catch((error: unknown) => {
      // A terminal that dies takes its screen with it: its visit is judged by what is left of it.
      if (this.#end !== 'terminal') wrong = `the visit did not end: ${error}`;
    });
    const isOver = visit.then(() => true);
    // Dead, or the visit is over and everything of it has been written.
    await Promise.race([
      eventually('the end of the process', () => (this.#isRunning ? undefined : true), 60_000).catch(() => {}),
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
    return { cut: cutting.cut(), wrong };
  }

  /** Until it was met; answers what went wrong, or null. `met`: names of all points at which it died */
  async visitPoint(state: 'freshly' | 'inTheStride', point: CrashPoint, met: Set<string>): Promise<string | null> {
    let wrong: string | null = null;
    for (const shift of shiftsOf(point)) {
      if (met.has(point.name)) break;
      if (point.nth + shift < 1) continue;
      await this[state]();
      const done = await this.visitCutAt({ ...point, nth: point.nth + shift });
      if (done.cut !== null) met.add(done.cut);
      wrong ??= done.wrong;
    }
    return wrong;
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
  try {
    await clinic.bed.build();
    await clinic.inTheStride();
    const met = new Set<string>();
    for (const state of ['freshly', 'inTheStride'] as const) {
      await clinic[state]();
      const points = (await clinic.watched()).filter(({ name }) => !met.has(name));
      say(`${end}, ${state}: ${points.length} calls a visit`);
      for (const point of points.filter((_, index) => isWanted(index))) {
        const name = `${end}: ${point.name}`;
        if (done.has(name)) met.add(point.name);
        const wrong = await clinic.visitPoint(state, point, met).catch((error: unknown) => String(error));
        yield { name, visited: met.has(point.name), wrong };
      }
    }
  } finally {
    await clinic.bed.close();
  }
}
