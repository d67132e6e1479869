import { constants } from 'node:os';
import { gzipSync } from 'node:zlib';
import { terminalFigures } from '../wire/figures.ts';
import { admitLogFields, type LogEventName, logEvents } from './log-events.ts';
import { state } from './session-words.ts';

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
/** Words of a configuration that say how it is built. Whatever else stands there somebody has written: told as `(text)`. */
const plainWords: ReadonlySet<string> = new Set([
  ...[
    'release',
    'test',
    'demo',
    'none',
    'virtual',
    'pcsc',
    'ffmpeg',
    'rpicam',
    'tesseract',
    'hid',
    'serial',
    'alsa',
    'page',
  ],
  ...[
    'debug',
    'info',
    'warn',
    'error',
    'Shift_JIS',
    'UTF-8',
    'Windows-31J',
    'character-reference',
    'bytes',
    'simulated',
  ],
]);
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Of `about`: what each may be. */
const aboutForms: Readonly<Record<string, (value: string) => boolean>> = {
  version: (value) => /^\d{1,4}\.\d{1,4}\.\d{1,4}$/.test(value),
  node: (value) => /^v\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(value),
  profile: (value) => plainWords.has(value),
  /** As in topics and certificates, given by a technician */
  device: (value) => /^[a-z][a-z0-9-]{0,31}$/.test(value),
  state: (value) => state.accepts(value),
  run: (value) => uuid.test(value),
  boot: (value) => uuid.test(value),
  logLevel: (value) => plainWords.has(value),
};
const statesOfCheck = new Set(['ok', 'skipped', 'warning', 'fault']);

/** Fields of the event log that hold names which others gave: of devices, files in a shared folder, elements and keys in messages. */
const namedByOthers = new Set(['file', 'elements', 'key', 'field', 'device', 'owner']);
const errorClasses = /^(Type|Range|Syntax|Reference|Aggregate|Assertion|Zod|Abort)?Error$/;
const isOfSystem = (code: string): boolean => Object.hasOwn(constants.errno, code) || /^(ERR|CERT|SQLITE)_/.test(code);

const isAdmitted = ([field, value]: readonly [string, unknown]): boolean => {
  if (field === 'error') return errorClasses.test(String(value));
  if (field === 'errorCode') return isOfSystem(String(value));
  return !namedByOthers.has(field);
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Settings are words in camel case; what a clinic fills in as a key need not be. */
const isKey = (key: string): boolean => key.length <= 40 && /^[a-z]{2,}([A-Z][a-z]+)*$/.test(key);

/** Numbers and flags as they are, plain words, and that there is a text or a list, nothing of what stands in it. */
const admitted = (value: unknown, largest: number, depth = 0): unknown => {
  if (depth > 6) return undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Math.abs(value) <= largest ? value : undefined;
  if (typeof value === 'string') return plainWords.has(value) ? value : '(text)';
  if (Array.isArray(value)) return `(${value.length})`;
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const taken = isKey(name) ? admitted(inner, largest, depth + 1) : undefined;
      return taken === undefined ? [] : [[name, taken]];
    }),
  );
};

const aboutOf = (about: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(aboutForms).flatMap(([name, isForm]) => {
      const value = about[name];
      return typeof value === 'string' && isForm(value) ? [[name, value]] : [];
    }),
  );

const figuresOf = (figures: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.keys(terminalFigures).flatMap((name) => {
      const value = figures[name];
      return typeof value === 'number' && Number.isFinite(value) ? [[name, value]] : [];
    }),
  );

const diagnosisOf = (
  { check, state, fault }: Readonly<Record<string, unknown>>,
  faults: ReadonlySet<string>,
): Readonly<Record<string, string>> => ({
  ...(typeof check === 'string' && isKey(check) && { check }),
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
    const { admitted: known } = admitLogFields(name, fields);
    const kept = Object.fromEntries(Object.entries(known).filter(isAdmitted));
    return { time, level: logEvents[name].level, event, ...kept };
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
    about: aboutOf(about),
    diagnoses: diagnoses.map((each) => diagnosisOf(each, faults)),
    figures: figuresOf(figures),
    configuration: admitted(configuration, largestSetting),
    /** Lines that are none of the event log's are left out, and counted */
    linesLeftOut: log.length - lines.length,
    log: kept,
  });
  for (let kept: readonly object[] = lines; ; kept = kept.slice(Math.ceil(kept.length / 4))) {
    const bytes = gzipSync(JSON.stringify(document(kept)));
    if (bytes.length <= mostBytes || kept.length === 0) return bytes;
  }
};
