import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { type FacilitySettings, writtenFacilitySettingsSchema } from '../../wire/facility-settings.ts';

/** YAML (JSON is YAML, too). Throws with the place of each mistake. */
export const readFacilitySettings = async (path: string): Promise<FacilitySettings> => {
  const checked = writtenFacilitySettingsSchema.safeParse(parse(await readFile(path, 'utf8')));
  if (!checked.success) throw new Error(`${path}:\n${z.prettifyError(checked.error)}`);
  return checked.data;
};
