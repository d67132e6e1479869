import { z } from 'zod';

/*
 * 始業前点検: what a terminal found of its own parts. Wire 2. Nothing of a patient; of keys only which ones never came.
 */

/** In the order in which somebody walks along the counter, then what nobody sees. */
export const testedParts = [
  'speaker',
  'keypad',
  'light',
  'camera',
  'reader',
  'line',
  'certificates',
  'clock',
  'disk',
] as const;
export type TestedPart = (typeof testedParts)[number];

/** Of a keypad with digits, then of one with four keys. */
const keyNames = [
  ...['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'clear', 'enter'],
  ...['previous', 'next', 'choose', 'repeat'],
] as const;
export type KeyName = (typeof keyNames)[number];

/**
 * `good`: it was tried. `present`: it answers, and only a person can say whether it is heard, seen or pressed. `absent`: this
 * terminal has none. `skipped`: not tried, a patient came first.
 */
const partOutcomes = ['good', 'failed', 'present', 'absent', 'skipped'] as const;

const partResultSchema = z.strictObject({
  part: z.enum(testedParts),
  outcome: z.enum(partOutcomes),
  /** Of a part that failed: the fault by its name in the one table of faults (src/catalogue/faults.ts) */
  code: z
    .string()
    .max(80)
    .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/)
    .optional(),
  /** Keys that were never pressed */
  missing: z.array(z.enum(keyNames)).max(keyNames.length).optional(),
});
export type PartResult = z.infer<typeof partResultSchema>;

export const selfTestSchema = z.strictObject({
  /** Somebody stood at the terminal: keys were asked for, sound and light shown */
  byHand: z.boolean(),
  tookMs: z.number().int().min(0).max(600_000),
  parts: z.array(partResultSchema).max(testedParts.length),
});
export type SelfTest = z.infer<typeof selfTestSchema>;
