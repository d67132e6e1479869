import { z } from 'zod';
import { facilitySettingsSchema } from '../../wire/facility-settings.ts';

/** What a facility is, and what stands at its counter, is its own: no chain sets it. */
const facilitysOwn = [
  ...['facilityName', 'medicalInstitutionCode', 'area', 'institutionType', 'technicianPhone'],
  ...['cameraPlace', 'smartphone', 'release'],
];
const settable = Object.keys(facilitySettingsSchema.shape).filter((name) => !facilitysOwn.includes(name));

/**
 * The content of an order of kind `settings`: some of the facility's settings by their names. Their values are judged with the
 * rest of the facility's file (`readFacilitySettings`).
 */
export const rolloutSettingsSchema = z
  .record(z.string(), z.unknown())
  .refine((settings) => Object.keys(settings).every((name) => settable.includes(name)), {
    error: `a chain sets: ${settable.join(', ')}`,
  })
  .refine((settings) => Object.keys(settings).length > 0, { error: 'no setting' });
export type RolloutSettings = z.infer<typeof rolloutSettingsSchema>;

/** Without those that this facility keeps. */
export const withoutOwn = (settings: RolloutSettings, own: readonly string[]): RolloutSettings =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => !own.includes(name)));
