import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { catalogueAt, changeInstants } from '../../catalogue/load-catalogue.ts';
import { printProblems, readSettings } from '../../config-file/read-settings.ts';
import { naming } from '../../storage/read-given.ts';
import { type FacilitySettings, writtenFacilitySettingsSchema } from '../../wire/facility-settings.ts';

/** Questions and languages of the catalogue, whenever they hold: a file may name those of a notice to come. */
const knownWords = () => {
  const catalogues = changeInstants().map((instant) => catalogueAt(instant));
  return {
    codes: new Set<string>(catalogues.flatMap(({ consents }) => consents.items.map(({ code }) => code))),
    languages: new Set(catalogues.flatMap(({ languages }) => Object.keys(languages))),
  };
};

/** A question or a language that nobody knows would be passed over in silence, and another answer given in its place. */
const fileSchema = writtenFacilitySettingsSchema.superRefine(({ asks, languages }, context) => {
  const known = knownWords();
  for (const code of Object.keys(asks))
    if (!known.codes.has(code))
      context.addIssue({
        code: 'custom',
        path: ['asks', code],
        message: `no question is called so (${[...known.codes].join(', ')})`,
      });
  for (const [index, language] of languages.entries())
    if (!known.languages.has(language) || languages.indexOf(language) !== index)
      context.addIssue({
        code: 'custom',
        path: ['languages', index],
        message: `each language once, of ${[...known.languages].join(', ')}`,
      });
});

/** YAML (JSON is YAML, too), and what a chain lays over it. Throws with the place of each mistake. */
export const readFacilitySettings = async (
  path: string,
  laid: Readonly<Record<string, unknown>> = {},
): Promise<FacilitySettings> => {
  const over = (written: unknown): unknown => (typeof written === 'object' ? { ...written, ...laid } : written);
  const schema = Object.keys(laid).length === 0 ? fileSchema : z.preprocess(over, fileSchema);
  const read = readSettings(schema, await readFile(path).catch(naming(path)));
  if (!read.ok) throw new Error(printProblems(path, read.failure).trimEnd());
  return read.value;
};

/** What is wrong with settings that a chain would lay over those of a facility; null: nothing. `over`: any facility's */
export const problemOfLaid = (laid: Readonly<Record<string, unknown>>, over: FacilitySettings): string | null => {
  const { error } = fileSchema.safeParse({ ...over, ...laid });
  return error === undefined ? null : z.prettifyError(error);
};
