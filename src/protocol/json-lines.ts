import type { z } from 'zod';

/** One line of JSON Lines, as this schema has it. Throws which line is wrong and how, never what stands there: it may be of a person. */
export const parseJsonLine = <S extends z.ZodType>(row: string, schema: S, line: number): z.infer<S> => {
  let content: unknown;
  try {
    content = JSON.parse(row);
  } catch {
    throw new Error(`line ${line}: not JSON`);
  }
  const checked = schema.safeParse(content);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new Error(`line ${line}: ${[...(issue?.path ?? []).map(String), issue?.message].join(': ')}`);
};

/** The lines that are not blank. Throws as parseJsonLine. */
export const parseJsonLines = <S extends z.ZodType>(text: string, schema: S): readonly z.infer<S>[] =>
  text.split('\n').flatMap((row, index) => (row.trim() === '' ? [] : [parseJsonLine(row, schema, index + 1)]));
