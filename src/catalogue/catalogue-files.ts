import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  consentsSchema,
  deskSchema,
  failuresSchema,
  grantsSchema,
  kindsSchema,
  maintenanceSchema,
  mendedTextsSchema,
  noticeSchema,
  sharesSchema,
  textsSchema,
} from './catalogue-schemas.ts';

/** Where the files lie unless told otherwise: beside this one. */
export const catalogueDir = import.meta.dirname;

/** A file nobody can use. `validFrom`: where it says when it would have held; null: it does not even say that. */
type UnusableFile = { readonly file: string; readonly reason: string; readonly validFrom: number | null };

const validFromOf = (content: unknown): number | null => {
  const said = z.object({ validFrom: z.iso.datetime({ offset: true }) }).safeParse(content);
  return said.success ? Date.parse(said.data.validFrom) : null;
};

/** One file by its form, or why it cannot be used. Never throws. */
export const readCatalogueFile = <T>(schema: z.ZodType<T>, path: string): { value: T } | { unusable: UnusableFile } => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return { unusable: { file: path, reason: (error as Error).message, validFrom: null } };
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return { value: parsed.data };
  return { unusable: { file: path, reason: z.prettifyError(parsed.error), validFrom: validFromOf(content) } };
};

/** Everything that lies in the catalogue's folders, whenever it holds. */
export const readCatalogueFiles = (dir: string) => {
  const unusable: UnusableFile[] = [];
  const readAll = <T>(schema: z.ZodType<T>, folder: string): readonly T[] => {
    const path = join(dir, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .flatMap((name) => {
        const read = readCatalogueFile(schema, join(path, name));
        if ('value' in read) return [read.value];
        unusable.push(read.unusable);
        return [];
      });
  };
  return {
    consents: readAll(consentsSchema, 'consents'),
    kinds: readAll(kindsSchema, 'kinds'),
    failures: readAll(failuresSchema, 'failures'),
    texts: readAll(textsSchema, 'texts'),
    mended: readAll(mendedTextsSchema, 'mended-texts'),
    desk: readAll(deskSchema, 'desk'),
    shares: readAll(sharesSchema, 'shares'),
    grants: readAll(grantsSchema, 'grants'),
    notices: readAll(noticeSchema, 'notices'),
    maintenance: readAll(maintenanceSchema, 'maintenance').flatMap(({ windows }) => windows),
    unusable,
  };
};
export type CatalogueFiles = ReturnType<typeof readCatalogueFiles>;
