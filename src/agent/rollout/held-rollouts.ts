import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { nothingHeld } from '../../core/rollout/rollout.ts';
import { orMissing } from '../../storage/or-missing.ts';
import { parseJsonFile } from '../../storage/parse-file.ts';
import { rolloutContentSchema, rolloutKinds } from '../../wire/rollout-papers.ts';

const heldSchema = z.strictObject({
  number: z.number().int(),
  order: z.string().nullable(),
  sequence: z.number().int(),
  word: z.string().nullable(),
  stop: z.number().int(),
  taken: z.boolean(),
  floor: z.string().nullable(),
});

/** `rollout-held.json` in the agent's directory: what was seen of the chain's orders, and what of them is in force. */
const heldRolloutsSchema = z.strictObject({
  ...(Object.fromEntries(rolloutKinds.map((kind) => [kind, heldSchema.default(nothingHeld)])) as Record<
    (typeof rolloutKinds)[number],
    z.ZodDefault<typeof heldSchema>
  >),
  /** Of the release that was taken last */
  files: z.array(rolloutContentSchema).default([]),
  /** The chain's settings, over those of the facility's file */
  laid: z.record(z.string(), z.unknown()).default({}),
});
export type HeldRollouts = z.infer<typeof heldRolloutsSchema>;

export const noRollouts: HeldRollouts = heldRolloutsSchema.parse({});

/** Throws with the file's name when it is damaged: what has been seen must not be forgotten without a word. */
export const readHeldRollouts = async (path: string): Promise<HeldRollouts> => {
  const text = await readFile(path, 'utf8').catch(orMissing);
  return text === null ? noRollouts : parseJsonFile(path, text, heldRolloutsSchema);
};
