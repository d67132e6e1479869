import type { Bundle, Slot, UpdateRecord } from '../../src/core/update/update.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { UpdateBoard } from '../../src/ports/update-board.ts';
import { partitionOf, slotOf } from '../../src/protocol/autoboot.ts';
import { releaseOfPart, type SimulatedDisk } from './simulated-disk.ts';

/**
 * How a release behaves once it is started.
 *   panics  the kernel gives up and restarts     hangs  nothing answers until the watchdog restarts it
 *   mute    runs, but its program never begins   unwell its test request never passes
 */
export type Behaviour = 'good' | 'panics' | 'hangs' | 'mute' | 'unwell';
export type Release = {
  readonly name: string;
  readonly version: string;
  readonly form: number;
  readonly behaves: Behaviour;
};

/** A bundle as it lies there, and what only the simulation knows of it. */
export type SimulatedBundle = Bundle & {
  readonly release: Release;
  /** Found out while it is written: its payload is not what was signed */
  readonly payloadTampered: boolean;
};

export const timing = {
  /** From the restart to the program's first line. */
  bootMs: 25_000,
  /** systemd's and the watchdog's patience with a boot that proves nothing, from power-on. */
  watchdogMs: 75_000,
  panicMs: 8_000,
  pieceMs: 20_000,
} as const;

export type Wanted = { readonly into: Slot; readonly trial: boolean };

/** The simulated board's side of an update: writes on `disk` alone, in simulated time. */
export const simulatedBoard = (parts: {
  readonly disk: SimulatedDisk;
  readonly clock: Clock;
  readonly running: Release;
  readonly booted: Slot;
  readonly compatible: string;
  readonly bundles: readonly SimulatedBundle[];
  readonly isLineUp: () => boolean;
  /** Told at once; the power-off follows from the world. */
  readonly restart: (wanted: Wanted) => void;
  /** The terminal opens its state in this slot. */
  readonly openState: (slot: Slot) => Promise<boolean>;
}): UpdateBoard => {
  const { disk, clock, running, booted } = parts;
  const pass = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      clock.wakeAt(clock.now().monotonicMs + ms, resolve);
    });
  const standard = (): Slot => slotOf(disk.choice()?.standard) ?? 'a';
  return {
    look: async () => ({
      board: { booted, standard: standard() },
      version: running.version,
      compatible: parts.compatible,
    }),
    readRecord: async () => {
      try {
        return disk.record === null ? null : (JSON.parse(disk.record) as UpdateRecord);
      } catch {
        return null;
      }
    },
    keep: async (record) => {
      await disk.writeRecord(JSON.stringify(record));
      return true;
    },
    /** As RAUC 1.13 does it: the slot is marked bad, both images are written, then the slot is made the primary one. */
    install: async (bundle, target) => {
      const whole = parts.bundles.find(({ id }) => id === bundle.id);
      if (whole === undefined) return 'unwritable';
      if (target === booted) throw new Error('the slot that runs is never written');
      if (whole.signature !== 'trusted') return whole.signature === 'broken' ? 'tampered' : 'foreign';
      await disk.writeAutoboot({ standard: partitionOf[standard()], trial: partitionOf[standard()] });
      for (const part of ['boot', 'root'] as const) {
        const isSpoiled = whole.payloadTampered && part === 'root';
        await disk.writePart(target, part, whole.release.name, isSpoiled ? 2 : undefined);
        await pass(timing.pieceMs);
        if (isSpoiled) return 'tampered';
      }
      await disk.writeAutoboot({ standard: partitionOf[standard()], trial: partitionOf[target] });
      return 'ok';
    },
    restart: async (into, trial) => {
      await disk.op(() => parts.restart({ into, trial }));
    },
    takeOver: (from, to) => disk.copyState(from, to),
    askHealth: async () => {
      if (!(await parts.openState(booted))) return false;
      await disk.op(() => {});
      await pass(500);
      return running.behaves === 'good' && parts.isLineUp();
    },
    commit: async (slot) => {
      await disk.writeAutoboot({ standard: partitionOf[slot], trial: partitionOf[slot] });
      return true;
    },
  };
};

export const releaseIn = (disk: SimulatedDisk, slot: Slot): string | null => {
  const [boot, root] = [releaseOfPart(disk.slots[slot].boot), releaseOfPart(disk.slots[slot].root)];
  return boot === root ? boot : null;
};
