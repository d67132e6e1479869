import { z } from 'zod';

/** What somebody sent, as this schema has it; null: it is no JSON, or not of that shape. */
export const parseJson = <S extends z.ZodType>(text: string, schema: S): z.infer<S> | null => {
  try {
    const checked = schema.safeParse(JSON.parse(text));
    return checked.success ? checked.data : null;
  } catch {
    return null;
  }
};

/** What a tool made, as this schema has it. Throws, with the file's name and the place in it, whatever is wrong. */
export const parseJsonFile = <S extends z.ZodType>(path: string, text: string, schema: S): z.infer<S> => {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    // Node quotes what stands there, which may be a key.
    const [, place = ''] = /( at position \d+.*)$/.exec(error instanceof Error ? error.message : '') ?? [];
    throw new Error(`${path}: not JSON${place}`);
  }
  const checked = schema.safeParse(content);
  if (!checked.success) throw new Error(`${path}:\n${z.prettifyError(checked.error)}`);
  return checked.data;
};
