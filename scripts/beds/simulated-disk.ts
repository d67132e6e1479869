import type { Slot } from '../../src/core/update/update.ts';
import { type Autoboot, encodeAutoboot, parseAutoboot } from '../../src/protocol/autoboot.ts';

/** Thrown nowhere: whoever waits for a write when the power goes waits for ever. */
const never = (): Promise<never> => new Promise(() => {});

/** What a part of a slot holds, piece by piece: the release that wrote it. */
type Part = string[];
const piecesOfPart = 4;
const wholePart = (release: string): Part => Array.from({ length: piecesOfPart }, () => release);
/** The release that this part is of, as a whole; null: of none */
export const releaseOfPart = (part: Part): string | null =>
  part.every((piece) => piece === part[0]) ? (part[0] ?? null) : null;

type StateFolder = { form: number; rows: number[] };

/** How somebody writes autoboot.txt: in its place, or as one would without thinking of the power. */
export type Hand = 'in-place' | 'truncating' | 'renaming';

/**
 * What is on a board's disk, and nothing else: it survives a power cut as it is at that moment. Each `op` is one write that
 * a cut falls before, into, or after; of one sector the disk keeps the old bytes or the new ones.
 */
export class SimulatedDisk {
  autoboot: string;
  record: string | null = null;
  readonly slots: Record<Slot, { boot: Part; root: Part }>;
  readonly state: Record<Slot, StateFolder | null>;
  readonly #hand: Hand;
  ops = 0;
  #cutAt: number | null = null;
  #cutFalls: 'before' | 'into' | 'after' = 'before';
  isOff = false;
  cutsThatFell = 0;

  constructor(release: string, form: number, hand: Hand = 'in-place') {
    this.autoboot = encodeAutoboot({ standard: 2, trial: 2 });
    this.slots = {
      a: { boot: wholePart(release), root: wholePart(release) },
      b: { boot: wholePart('empty'), root: wholePart('empty') },
    };
    this.state = { a: { form, rows: [] }, b: null };
    this.#hand = hand;
  }

  /** The power goes at the `op`-th write from now on. */
  cutAfter(op: number, falls: 'before' | 'into' | 'after'): void {
    this.#cutAt = this.ops + op;
    this.#cutFalls = falls;
  }

  switchOn(): void {
    this.isOff = false;
    this.#cutAt = null;
  }

  /** `into`: what is there when the power goes in the middle; left out: as before it. */
  async op(apply: () => void, into: () => void = () => {}): Promise<void> {
    if (this.isOff) return never();
    this.ops += 1;
    if (this.ops !== this.#cutAt) return apply();
    if (this.#cutFalls === 'into') into();
    if (this.#cutFalls === 'after') apply();
    this.isOff = true;
    this.cutsThatFell += 1;
    return never();
  }

  choice(): Autoboot | null {
    return parseAutoboot(this.autoboot);
  }

  async writeAutoboot(choice: Autoboot): Promise<void> {
    const text = encodeAutoboot(choice);
    const write = () => {
      this.autoboot = text;
    };
    const empty = () => {
      this.autoboot = '';
    };
    if (this.#hand === 'in-place') return this.op(write);
    // FAT knows no replacing rename: the old name goes, then the new one comes. A shell's `>` empties first.
    await this.op(empty);
    await this.op(write, this.#hand === 'truncating' ? empty : () => {});
  }

  /** A file beside, its bytes brought to the disk, then its name. */
  async writeRecord(text: string): Promise<void> {
    await this.op(() => {});
    await this.op(() => {});
    await this.op(() => {
      this.record = text;
    });
  }

  async writePart(slot: Slot, part: 'boot' | 'root', release: string, pieces = piecesOfPart): Promise<void> {
    for (let index = 0; index < pieces; index += 1)
      await this.op(
        () => {
          this.slots[slot][part][index] = release;
        },
        () => {
          this.slots[slot][part][index] = 'torn';
        },
      );
  }

  /** As `take-over` does it: a copy beside, then its name. */
  async copyState(from: Slot, to: Slot): Promise<boolean> {
    const source = this.state[from];
    if (source === null) return false;
    await this.op(() => {
      this.state[to] = null;
    });
    await this.op(() => {});
    await this.op(() => {
      this.state[to] = { form: source.form, rows: [...source.rows] };
    });
    return true;
  }
}
