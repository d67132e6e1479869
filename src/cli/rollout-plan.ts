import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { openTrust } from '../agent/rollout/open-rollout.ts';
import { rolloutSettingsSchema } from '../agent/rollout/rollout-settings.ts';
import { problemOfLaid } from '../agent/settings/facility-settings-file.ts';
import { firstFacilitySettings } from '../catalogue/first-settings.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { printProblems, readSettings } from '../config-file/read-settings.ts';
import type { WaveLimits } from '../core/rollout/judge-waves.ts';
import { dayMs, hourMs } from '../core/time-units.ts';
import { hashOfFile } from '../storage/hash-of-file.ts';
import { readGiven } from '../storage/read-given.ts';
import { identifier } from '../wire/messages.ts';
import { type RolloutOrder, rolloutKinds } from '../wire/rollout-papers.ts';

const wholeNumber = (least: number, most: number, preset: number) =>
  z.number().int().min(least).max(most).default(preset);

/**
 * What a chain's operator writes: who, in which wave, gets what. No chain has been at work with the limits yet: they are chosen, not
 * measured. A day has each clinic's opening and busiest hour in it; one facility in twenty may be ill of something else, one in ten
 * closed or cut off that day. Silence of half an hour is three looks, words of two hours twelve, with the ten minutes of docs/updating.md.
 */
const planSchema = z.strictObject({
  kind: z.enum(rolloutKinds),
  /** Of a release */
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+[0-9A-Za-z.+-]{0,30}$/)
    .optional(),
  /** Files, from the plan's own folder: bundles, or the next rollout-trust.json */
  content: z.array(z.string().min(1).max(400)).default([]),
  /** Of kind `settings` */
  settings: rolloutSettingsSchema.optional(),
  waves: z.array(z.array(identifier).min(1)).min(1).max(99),
  /** The order is of use for so long */
  days: wholeNumber(1, 400, 30),
  /** Of a wave so many may be unwell, in percent, rounded down: of 15, 5 % is nobody */
  unwellPercent: wholeNumber(0, 50, 5),
  /** So many must have carried it out before the next wave, in percent */
  donePercent: wholeNumber(1, 100, 90),
  /** A facility that has told nothing for so long is unwell */
  silentMinutes: wholeNumber(10, 1_440, 30),
  /** Each wave is watched for so long */
  watchHours: wholeNumber(0, 720, 24),
  /** Without a new look for so long nobody goes on */
  wordMinutes: wholeNumber(15, 1_440, 120),
});

export type RolloutPlan = {
  readonly kind: RolloutOrder['kind'];
  readonly version: string | null;
  readonly waves: RolloutOrder['waves'];
  readonly content: readonly { readonly entry: RolloutOrder['content'][number]; readonly from: string | Uint8Array }[];
  readonly lifeMs: number;
  readonly wordMs: number;
  readonly limits: WaveLimits;
};

/** A facility as `provision` makes it: what it is itself is not judged here. */
const anyFacility = () => firstFacilitySettings(catalogueAt(Date.now()).consents, 'medical', 'A', '1312345678');

const namedTwice = (waves: RolloutOrder['waves']): readonly string[] => {
  const all = waves.flat();
  return [...new Set(all.filter((facility, index) => all.indexOf(facility) !== index))];
};

const contentOf = async (path: string) => {
  const { size } = await stat(path);
  return { entry: { name: path.split(/[\\/]/).at(-1) ?? '', sha256: await hashOfFile(path), bytes: size }, from: path };
};

const textContent = (name: string, text: string) => {
  const from = new TextEncoder().encode(text);
  return { entry: { name, sha256: createHash('sha256').update(from).digest('hex'), bytes: from.length }, from };
};

/** Throws with the place of each mistake; what a facility would refuse is refused here. */
export const readPlan = async (path: string): Promise<RolloutPlan> => {
  const read = readSettings(planSchema, readGiven(path));
  if (!read.ok) throw new Error(printProblems(path, read.failure).trimEnd());
  const plan = read.value;
  const { kind, version, waves, settings } = plan;
  const twice = namedTwice(waves);
  if (twice.length > 0) throw new Error(`${twice.join(', ')}: named in more than one wave`);
  if ((kind === 'release') !== (version !== undefined)) throw new Error('a release, and nothing else, has a version');
  if ((kind === 'settings') !== (settings !== undefined))
    throw new Error('an order of kind settings, and no other, has settings');
  if ((kind === 'settings') !== (plan.content.length === 0))
    throw new Error('an order of kind release or keys, and no other, has content');
  const problem = settings === undefined ? null : problemOfLaid(settings, anyFacility());
  if (problem !== null) throw new Error(`${path}: ${problem}`);
  const files = plan.content.map((name) => resolve(dirname(path), name));
  if (kind === 'release' && files.some((file) => !file.endsWith('.raucb')))
    throw new Error('the content of a release is bundles (.raucb)');
  if (kind === 'keys' && (files.length !== 1 || (await openTrust(readGiven(files[0] ?? '').toString('utf8'))) === null))
    throw new Error('the content of an order of kind keys is one rollout-trust.json');
  return {
    ...{ kind, waves, version: version ?? null },
    content:
      settings === undefined
        ? await Promise.all(files.map(contentOf))
        : [textContent('settings.json', `${JSON.stringify(settings)}\n`)],
    lifeMs: plan.days * dayMs,
    wordMs: plan.wordMinutes * 60_000,
    limits: {
      unwellPercent: plan.unwellPercent,
      donePercent: plan.donePercent,
      silentMs: plan.silentMinutes * 60_000,
      watchMs: plan.watchHours * hourMs,
    },
  };
};
