import { gzipSync } from 'node:zlib';
import { admitLogFields, type LogEventName, logEvents } from './log-events.ts';

/*
 * What a maker needs to see of a terminal or an agent, without a trace of a person: everything in it is admitted one by one,
 * nothing is filtered out of a whole. Free text (details, comments, what programs complain, unknown lines) never gets in.
 */

type BundleParts = {
  /** Versions, ids and counts, as they are told in `state` */
  readonly about: Readonly<Record<string, unknown>>;
  /** The doctor's lines: check, state and fault are taken of them, by the names in `faults` */
  readonly diagnoses: readonly Readonly<Record<string, unknown>>[];
  /** The table of faults, by name */
  readonly faults: ReadonlySet<string>;
  readonly figures: Readonly<Record<string, unknown>>;
  /** As it was read: of texts only those of a short list are taken */
  readonly configuration: unknown;
  /** Lines of the event log (JSON), and whatever stands between them in a journal */
  readonly log: readonly string[];
};

/** More than this of a log is not needed, and a bundle must fit into one message. Bytes, gzip */
const mostBytes = 44_000;

/** No port, count or time of a configuration is larger; a date of birth and a number of a person are. */
const largestSetting = 1_000_000;
const largestFigure = 1e15;
const checkName = /^[a-zA-Z]{1,20}$/;
const versionOrId = /^[\w.+-]{1,60}$/;
/** Texts of a configuration that say how it is built, never what somebody wrote into it. */
const plainSettings = new Set(['profile', 'driver', 'level', 'model', 'embeddingModel', 'encoding', 'shiftJisLabel']);
const aboutWords = new Set([
  'version',
  'profile',
  'device',
  'state',
  'status',
  'code',
  'run',
  'boot',
  'logLevel',
  'node',
]);
const statesOfCheck = new Set(['ok', 'skipped', 'warning', 'fault']);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Schema keys are ours; keys of a map that somebody fills in may be anything. */
const isKey = (key: string): boolean => /^[a-zA-Z_]{1,40}$/.test(key);

/** Numbers and flags as they are; texts under a key of `allowed` where they look like a word of ours, else that there is one. */
const admitted = (
  value: unknown,
  allowed: ReadonlySet<string>,
  largest: number,
  { key = '', depth = 0 } = {},
): unknown => {
  if (depth > 6) return undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Math.abs(value) <= largest ? value : undefined;
  if (typeof value === 'string') return allowed.has(key) && versionOrId.test(value) ? value : '(text)';
  if (Array.isArray(value)) return `(${value.length})`;
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const taken = isKey(name) ? admitted(inner, allowed, largest, { key: name, depth: depth + 1 }) : undefined;
      return taken === undefined ? [] : [[name, taken]];
    }),
  );
};

const diagnosisOf = (
  { check, state, fault }: Readonly<Record<string, unknown>>,
  faults: ReadonlySet<string>,
): Readonly<Record<string, string>> => ({
  ...(typeof check === 'string' && checkName.test(check) && { check }),
  ...(typeof state === 'string' && statesOfCheck.has(state) && { state }),
  ...(typeof fault === 'string' && faults.has(fault) && { fault }),
});

/** A line of the event log, its fields admitted once more; null: something else. */
const lineOf = (line: string): Record<string, unknown> | null => {
  try {
    const { level, time, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
    if (typeof event !== 'string' || !Object.hasOwn(logEvents, event)) return null;
    if (typeof time !== 'string' || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time)) return null;
    const name = event as LogEventName;
    return { time, level: logEvents[name].level, event, ...admitLogFields(name, fields).admitted };
  } catch {
    return null;
  }
};

/** gzip of one JSON document; the newest lines of the log that fit. */
export const makeSupportBundle = ({
  about,
  diagnoses,
  faults,
  figures,
  configuration,
  log,
}: BundleParts): Uint8Array => {
  const lines = log.map(lineOf).filter((line) => line !== null);
  const document = (kept: readonly object[]) => ({
    supportBundle: 1,
    about: admitted(about, aboutWords, largestFigure),
    diagnoses: diagnoses.map((each) => diagnosisOf(each, faults)),
    figures: admitted(figures, new Set(), largestFigure),
    configuration: admitted(configuration, plainSettings, largestSetting),
    /** Lines that are none of the event log's are left out, and counted */
    linesLeftOut: log.length - lines.length,
    log: kept,
  });
  for (let kept: readonly object[] = lines; ; kept = kept.slice(Math.ceil(kept.length / 4))) {
    const bytes = gzipSync(JSON.stringify(document(kept)));
    if (bytes.length <= mostBytes || kept.length === 0) return bytes;
  }
};
