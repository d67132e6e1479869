import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { type ConfigProblem, mostTold, readPlainYaml } from './plain-yaml.ts';

const letterDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** Nothing of ours is called by so many letters: not compared. */
const longestName = 60;

/** The candidate at most two letters, or a third of its letters, away from what was written. */
const nearestOf = (written: string, candidates: readonly string[]): string | undefined =>
  written.length > longestName
    ? undefined
    : candidates
        .map((candidate) => ({ candidate, distance: letterDistance(written, candidate) }))
        .filter(
          ({ candidate, distance }) =>
            distance > 0 && distance <= Math.max(candidate.length > 3 ? 2 : 1, Math.floor(candidate.length / 3)),
        )
        .sort((a, b) => a.distance - b.distance)[0]?.candidate;

export type JsonSchema = {
  readonly properties?: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly unit?: string;
  readonly example?: string;
};

/** The schema as plain data, for the nearest key and the generated example. */
export const describeSettings = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;

const secretWords = /pass(word|phrase)?|secret|token|private.?key|^pin$/i;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valueAt = (value: unknown, keys: readonly PropertyKey[]): unknown =>
  keys.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as never)[key] : undefined), value);

/** What an example has where somebody must say something; and the names that documents use. */
const isPlaceholder = (found: unknown): boolean =>
  typeof found === 'string' && found.length < longestName && (/^<.*>$/.test(found) || /\.example$/i.test(found));

/**
 * Reads one YAML file by a schema. Every problem is told with its place; a text that is not plain YAML is told, too.
 * `formerKeys`: what a key of the top level was called in an earlier release → its name now; a file may keep the old one.
 * For every file that a person may write: terminal.yaml, agent.yaml, facility-settings.yaml, the answers of `provision`.
 */
export const readSettings = <S extends z.ZodType>(
  schema: S,
  file: string | Uint8Array,
  formerKeys: Readonly<Record<string, string>> = {},
): Result<z.infer<S>, readonly ConfigProblem[]> => {
  const read = readPlainYaml(file);
  if (!read.ok) return read;
  const { placeOf, value } = read.value;
  const formerOf = new Map<PropertyKey, string>();
  const written = isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, each]) => {
          const now = Object.hasOwn(formerKeys, key) ? formerKeys[key] : undefined;
          if (now === undefined || Object.hasOwn(value, now)) return [key, each];
          formerOf.set(now, key);
          return [now, each];
        }),
      )
    : value;
  /** As the file calls it. */
  const inFile = ([first, ...rest]: readonly PropertyKey[]): readonly PropertyKey[] =>
    first === undefined ? [] : [formerOf.get(first) ?? first, ...rest];
  const schemaAt = (keys: readonly PropertyKey[]) =>
    keys.reduce<JsonSchema | undefined>((at, key) => at?.properties?.[String(key)], describeSettings(schema));

  const parsed = schema.safeParse(written);
  if (parsed.success) return ok(parsed.data);
  const problems = parsed.error.issues.slice(0, mostTold).flatMap((issue): ConfigProblem[] => {
    const here = schemaAt(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, mostTold).map((key) => {
        const nearest = nearestOf(key, Object.keys(here?.properties ?? {}));
        const reason = secretWords.test(key)
          ? `"${key}" looks like a secret: secrets are files of the provisioning directory`
          : `unknown key "${key}"`;
        return {
          ...placeOf(inFile([...issue.path, key]), 'key'),
          reason,
          ...(nearest === undefined ? {} : { nearest }),
        };
      });
    }
    const name = issue.path.join('.') || 'the file';
    const found = valueAt(written, issue.path);
    if (issue.path.length === 0 && !isRecord(found))
      return [{ ...placeOf([], 'value'), reason: 'not a file of settings: lines of `name: value` are expected' }];
    if (found === undefined) return [{ ...placeOf(inFile(issue.path), 'key'), reason: `${name} is missing` }];
    if (isPlaceholder(found))
      return [
        { ...placeOf(inFile(issue.path), 'value'), reason: `${name}: still the example's placeholder; must be set` },
      ];
    const nearest = typeof found === 'string' ? nearestOf(found, (here?.enum ?? []).map(String)) : undefined;
    return [
      {
        ...placeOf(inFile(issue.path), 'value'),
        reason: `${name}: ${issue.message}`,
        ...(nearest === undefined ? {} : { nearest }),
      },
    ];
  });
  return err(problems);
};

/** `terminal.yaml:3:9: camera.fps: …`, one line a problem. */
export const printProblems = (file: string, problems: readonly ConfigProblem[]): string =>
  problems
    .map(({ line, column, reason, nearest }) => {
      const hint = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
      return `${file}:${line}:${column}: ${reason}${hint}\n`;
    })
    .join('');
