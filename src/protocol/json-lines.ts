import type { z } from 'zod';

/** One line of JSON Lines, as this schema has it. Throws which line is wrong and how, never what stands there: it may be of a person. */
export const parseJsonLine = <S extends z.ZodType>({ row, line }: Row, schema: S): z.infer<S> => {
  let content: unknown;
  try {
    content = JSON.parse(row);
  } catch {
    throw new Error(`line ${line}: not JSON`);
  }
  const checked = schema.safeParse(content);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  // A key is content, too, and the only content that zod repeats.
  const what = issue?.code === 'unrecognized_keys' ? 'a key that is not known' : issue?.message;
  throw new Error(`line ${line}: ${[...(issue?.path ?? []).map(String), what].join(': ')}`);
};

type Row = { readonly row: string; readonly line: number };

/** The lines that are not blank, each with its number in the file. */
export const rowsOf = (text: string): readonly Row[] =>
  text.split('\n').flatMap((row, index) => (row.trim() === '' ? [] : [{ row, line: index + 1 }]));

/** Every line that is not blank. Throws as parseJsonLine. */
export const parseJsonLines = <S extends z.ZodType>(text: string, schema: S): readonly z.infer<S>[] =>
  rowsOf(text).map((row) => parseJsonLine(row, schema));
