import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { UpdateRecord } from '../../src/core/update/update.ts';
import { updateDelays } from '../../src/core/update/update-delays.ts';
import type { UpdateBoard } from '../../src/ports/update-board.ts';
import { parseAutoboot, slotOf } from '../../src/protocol/autoboot.ts';
import { makeFolderSync } from '../../src/storage/make-folder.ts';
import { replaceDurably } from '../../src/storage/rename-durably.ts';
import { runToEnd, signatureIn } from './rauc-bundle.ts';

/** Marking a slot: one sector and RAUC's own status file. */
const markMs = 14_000;

const slotSchema = z.enum(['a', 'b']);
const recordSchema = z.object({
  floor: z.string(),
  attempt: z
    .object({
      bundle: z.object({ id: z.string(), version: z.string() }),
      target: slotSchema,
      step: z.enum(['writing', 'written', 'trying']),
      writes: z.number().int(),
      tries: z.number().int(),
    })
    .nullable(),
  failed: z.array(z.object({ id: z.string(), reason: z.enum(['fell-back', 'foreign', 'tampered', 'unwritable']) })),
  last: z
    .object({
      version: z.string(),
      outcome: z.enum(['installed', 'fell-back', 'refused']),
      reason: z
        .enum([
          ...(['foreign', 'tampered', 'other-device', 'no-version', 'older', 'failed-before'] as const),
          ...(['fell-back', 'unwritable'] as const),
        ])
        .nullable(),
      wallMs: z.number(),
    })
    .nullable(),
});

/** null: there is none, or it is not one. */
export const readUpdateRecord = (path: string): UpdateRecord | null => {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
};

type RaucPlaces = {
  readonly autoboot: string;
  readonly record: string;
  /** Folder of boot-choice, restart-into, take-over */
  readonly scripts: string;
  readonly rauc: string;
};
export const deviceUpdatePlaces: RaucPlaces = {
  autoboot: '/bootfs/autoboot.txt',
  record: '/persistent/uketsuke-update.json',
  scripts: '/usr/lib/uketsuke/systemd/device',
  rauc: 'rauc',
};

/** Two slots under RAUC with our own boot-choice. `pathOf`: where a bundle that was offered lies. */
export const createRaucUpdateBoard = (parts: {
  readonly places: RaucPlaces;
  readonly version: string;
  readonly compatible: string;
  readonly pathOf: (id: string) => string | null;
  readonly askHealth: () => Promise<boolean>;
}): UpdateBoard => {
  const { places } = parts;
  const script = async (name: string, ...args: readonly string[]): Promise<string | null> => {
    const { code, output } = await runToEnd(`${places.scripts}/${name}`, args, updateDelays.takeOverMs);
    return code === 0 ? output.trim() : null;
  };
  return {
    look: async () => {
      const choice = parseAutoboot(readFileSync(places.autoboot, 'utf8'));
      const standard = slotOf(choice?.standard);
      const booted = slotSchema.safeParse(await script('boot-choice', 'get-current'));
      if (standard === null || !booted.success) throw new Error(`${places.autoboot} and the boot loader name no slot`);
      return { board: { booted: booted.data, standard }, version: parts.version, compatible: parts.compatible };
    },
    readRecord: async () => readUpdateRecord(places.record),
    keep: async (record) => {
      try {
        makeFolderSync(dirname(places.record));
        replaceDurably(places.record, JSON.stringify(record), 0o644);
        return true;
      } catch {
        return false;
      }
    },
    install: async (bundle) => {
      const path = parts.pathOf(bundle.id);
      if (path === null) return 'unwritable';
      const spoken = await runToEnd(places.rauc, ['install', path], updateDelays.installMs);
      if (spoken.code === 0) return 'ok';
      const said = `${spoken.output}\n${spoken.words}`;
      const isSpoiled = /verity|Input\/output error|checksum|Failed to (read|splice|copy)|digest/i.test(said);
      const signature = isSpoiled ? 'broken' : signatureIn(spoken);
      if (/signature|certificate|verif/i.test(said) && signature !== 'broken') return 'foreign';
      return signature === 'broken' ? 'tampered' : 'unwritable';
    },
    restart: async (_into, trial) => {
      await script('restart-into', trial ? 'trial' : 'standard');
    },
    takeOver: async (from, to) => (await script('take-over', from, to)) !== null,
    askHealth: parts.askHealth,
    commit: async (slot) => {
      const { code } = await runToEnd(places.rauc, ['status', 'mark-good', 'booted'], markMs);
      if (code !== 0) return false;
      return slotOf(parseAutoboot(readFileSync(places.autoboot, 'utf8'))?.standard) === slot;
    },
  };
};
