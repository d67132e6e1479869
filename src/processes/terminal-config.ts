import { isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';

/** What is wrong with a configuration file, and where. `line` and `column` begin at 1. */
type ConfigProblem = {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  /** The valid key or value that is spelled most like the one found. */
  readonly nearest?: string;
};

/** Where a device looks for its configuration when `--config` is not given. */
export const defaultConfigPath = '/etc/uketsuke/terminal.yaml';

const identifier = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'small letters, digits and hyphens, a letter first');
const path = z.string().min(1).max(200).startsWith('/', 'an absolute path');
const devicePath = z.string().regex(/^\/dev\/[\w./-]+$/, 'a device below /dev');
const host = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, 'a host name or an IPv4 address');
const tcpPort = (preset: number) => z.int().min(1).max(65_535).default(preset).meta({ unit: 'TCP port' });
// `prefault`: a section that is left out is filled with its own defaults.
const section = <T extends z.ZodRawShape>(about: string, shape: T) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .describe(about);

/**
 * Every setting of one terminal: unit, range, default and a comment each. What a clinic decides for all its terminals
 * (questions, languages, time-outs of a visit) comes from the agent, signed (src/wire/facility-settings.ts).
 * Secrets never stand here: keys and certificates are files of the provisioning directory.
 */
export const configSchema = z.strictObject({
  profile: z.enum(['release', 'demo']).default('release').describe('release refuses every virtual driver.'),
  facility: identifier.describe('Id of the facility (医療機関等), as in its topics.').meta({ example: 'clinic-0001' }),
  device: identifier.describe('Id of this terminal; the CN of its certificate.').meta({ example: 'terminal-01' }),
  lane: z.int().min(1).max(99).default(1).describe('Number of the counter this terminal stands at.'),
  cardReader: section('The contactless reader for My Number cards.', {
    driver: z.enum(['pcsc', 'virtual']).default('pcsc').describe('pcsc: a reader that pcscd knows.'),
    name: z.string().max(100).default('').describe('Part of the PC/SC name; empty: the first reader.'),
    serviceRestart: z
      .array(z.string())
      .default(['systemctl', '--no-ask-password', 'restart', 'pcscd.service'])
      .describe('What is run when pcscd hangs; empty: nothing.'),
  }),
  camera: section("The camera that looks at the patient's face.", {
    driver: z
      .enum(['ffmpeg', 'rpicam', 'virtual'])
      .default('ffmpeg')
      .describe("ffmpeg: a V4L2 device. rpicam: a Raspberry Pi's own camera, by rpicam-vid."),
    device: devicePath.default('/dev/uketsuke-face-camera').describe('ffmpeg: the udev rules make this link.'),
    index: z.int().min(0).max(3).default(0).describe('rpicam: its number in `rpicam-vid --list-cameras`.'),
    framesPerSecond: z.int().min(5).max(60).default(15).describe('Frames asked of the camera.'),
  }),
  face: section('The process that compares faces (uketsuke face).', {
    socket: path.default('/run/uketsuke-face.sock').describe('Unix socket where the terminal reaches it.'),
    embeddingModel: z.string().max(60).default('fr_feature').describe('A model of models/manifest.json.'),
    acceptUnverifiedModels: z
      .array(z.string().max(60))
      .default([])
      .describe('Models whose licence is not verified, allowed here by name; release refuses the others.'),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe("Comparison score that counts as the same person; left out: the model's measured one."),
  }),
  cardFrontReader: section('The camera that reads the printed 照合番号B, which opens the photo on the chip.', {
    driver: z
      .enum(['none', 'tesseract', 'virtual'])
      .default('none')
      .describe('tesseract: a second camera. none: there is no face path, PIN and staff check remain.'),
    device: devicePath.default('/dev/uketsuke-card-camera').describe('V4L2 device above the card bed, by a udev rule.'),
  }),
  keypad: section('A hardware keypad for the PIN; the touch pad of the screen is always there.', {
    driver: z.enum(['none', 'hid', 'virtual']).default('none').describe('hid: a USB keypad.'),
    device: devicePath.default('/dev/uketsuke-keypad').describe('The udev rules make this link.'),
    model: z
      .string()
      .max(40)
      .default('numeric-keypad')
      .describe('Its report map (drivers/keypad/hid-keypad-models.ts).'),
  }),
  statusLight: section('Light, beeper and presence sensor.', {
    driver: z.enum(['none', 'serial', 'virtual']).default('none').describe('serial: docs/status-light-protocol.md.'),
    device: devicePath.default('/dev/uketsuke-light').describe('The udev rules make this link.'),
    baud: z
      .literal([9600, 19200, 57600, 115200])
      .default(115200)
      .meta({ unit: 'bit/s' })
      .describe('Speed of the line.'),
  }),
  speaker: section('Voice and chimes.', {
    driver: z
      .enum(['none', 'alsa', 'page'])
      .default('none')
      .describe('alsa: recordings and espeak-ng through aplay. page: recordings by the browser of the screen.'),
    device: z
      .string()
      .regex(/^[\w:=,.-]{1,80}$/)
      .default('default')
      .describe('ALSA device of the loudspeaker.'),
    earphoneDevice: z
      .string()
      .regex(/^[\w:=,.-]{0,80}$/)
      .default('')
      .describe("ALSA device of the earphone's socket; empty: the loudspeaker's."),
    earphoneJack: z
      .string()
      .regex(/^([\w:=,.-]{1,40}\/[\w ,.-]{1,60})?$/, 'card/control, e.g. hw:0/Headphone Jack')
      .default('')
      .describe('Control that tells whether an earphone is in (amixer contents), e.g. hw:0/Headphone Jack.'),
    volume: z
      .int()
      .min(0)
      .max(100)
      .default(50)
      .meta({ unit: '%' })
      .describe('Loudness of voice and chimes; a patient can go two steps of 4 dB up or down from here.'),
  }),
  screen: section("The patient's screen, a page on loopback for the kiosk browser.", {
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(8480)
      .meta({ unit: 'TCP port' })
      .describe('Loopback port of the page; 0: any free one.'),
  }),
  broker: section("The clinic's MQTT broker, mutual TLS only.", {
    host: host.describe('Host name or address.').meta({ example: 'broker.clinic.example' }),
    port: tcpPort(8883).describe('Port for MQTT over TLS.'),
    protocolVersion: z.literal([5, 4]).default(5).describe('MQTT 5, or 4 (= 3.1.1) for brokers that do not speak 5.'),
    serverName: z
      .union([host, z.literal('')])
      .default('')
      .describe('Name in its certificate, where it is not the host.'),
    keepaliveSeconds: z
      .int()
      .min(5)
      .max(300)
      .default(10)
      .meta({ unit: 's' })
      .describe('A terminal without power is seen after 1.5 times this.'),
  }),
  paths: section('Where things lie.', {
    provisioning: path.default('/etc/uketsuke/provisioning').describe('Keys and certificates: terminal/ and link/.'),
    store: path.default('/var/lib/uketsuke-link/link.sqlite').describe('Outbox and settings (SQLite).'),
    models: path.default('/usr/lib/uketsuke/models').describe('ONNX files, checked against models/manifest.json.'),
    screens: path.default('/usr/lib/uketsuke/dist/screens').describe("The built page of the patient's screen."),
  }),
  link: section('The process that keeps the outbox and speaks with the broker (uketsuke link).', {
    socket: path.default('/run/uketsuke-link.sock').describe('Unix socket where the terminal reaches it.'),
    health: path.default('/run/uketsuke-link/health.sock').describe('Unix socket where `uketsuke doctor` asks.'),
  }),
  health: section('Self-supervision.', {
    socket: path.default('/run/uketsuke/health.sock').describe('Unix socket where `uketsuke doctor` asks.'),
  }),
  log: section('Event log on standard error (journald).', {
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Lines below it are not written.'),
  }),
});
export type Config = z.infer<typeof configSchema>;

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

/** The candidate at most two letters, or a third of its letters, away from what was written. */
const nearestOf = (written: string, candidates: readonly string[]): string | undefined =>
  candidates
    .map((candidate) => ({ candidate, distance: letterDistance(written, candidate) }))
    .filter(
      ({ candidate, distance }) =>
        distance > 0 && distance <= Math.max(candidate.length > 3 ? 2 : 1, Math.floor(candidate.length / 3)),
    )
    .sort((a, b) => a.distance - b.distance)[0]?.candidate;

type JsonSchema = {
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

/**
 * Reads one YAML text by a schema. Every problem is told with its place; a text that is not YAML is told, too.
 * `formerKeys`: what a key of the top level was called in an earlier release → its name now; a file may keep the old one.
 * Also used for the agent's configuration.
 */
const readSettings = <S extends z.ZodType>(
  schema: S,
  text: string,
  formerKeys: Readonly<Record<string, string>> = {},
): Result<z.infer<S>, readonly ConfigProblem[]> => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return err(document.errors.map((error) => ({ ...placeOf(error.pos[0]), reason: `not YAML: ${error.message}` })));
  }

  // The node of the deepest key of `keys` that the file has.
  const placeOfPath = (keys: readonly PropertyKey[], wantKey: boolean) => {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const [depth, key] of keys.entries()) {
      if (!isMap(node)) break;
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (pair === undefined || !isScalar(pair.key)) break;
      const value = pair.value as { range?: readonly number[] } | null;
      const last = depth === keys.length - 1;
      offset = last && !wantKey ? (value?.range?.[0] ?? pair.key.range?.[0]) : pair.key.range?.[0];
      node = value;
    }
    return placeOf(offset);
  };
  if (isMap(document.contents)) {
    for (const { key } of document.contents.items) {
      const now = isScalar(key) && typeof key.value === 'string' ? formerKeys[key.value] : undefined;
      if (isScalar(key) && now !== undefined && !document.contents.has(now)) key.value = now;
    }
  }
  const schemaAt = (keys: readonly PropertyKey[]) =>
    keys.reduce<JsonSchema | undefined>((at, key) => at?.properties?.[String(key)], describeSettings(schema));

  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return ok(parsed.data);
  const problems = parsed.error.issues.flatMap((issue): ConfigProblem[] => {
    const here = schemaAt(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const nearest = nearestOf(key, Object.keys(here?.properties ?? {}));
        const reason = secretWords.test(key)
          ? `"${key}" looks like a secret: secrets are files of the provisioning directory`
          : `unknown key "${key}"`;
        return {
          ...placeOfPath([...issue.path, key], true),
          reason,
          ...(nearest === undefined ? {} : { nearest }),
        };
      });
    }
    const name = issue.path.join('.') || 'the file';
    const written = document.getIn(issue.path);
    if (written === undefined) return [{ ...placeOfPath(issue.path, true), reason: `${name} is missing` }];
    const nearest = typeof written === 'string' ? nearestOf(written, (here?.enum ?? []).map(String)) : undefined;
    return [
      {
        ...placeOfPath(issue.path, false),
        reason: `${name}: ${issue.message}`,
        ...(nearest === undefined ? {} : { nearest }),
      },
    ];
  });
  return err(problems);
};

/** A terminal that was set up by an earlier release keeps its file. */
const formerKeys = { cardFaceReader: 'cardFrontReader' };

/** The parts that can be virtual. */
const parts = ['cardReader', 'camera', 'cardFrontReader', 'keypad', 'statusLight'] as const;

/** The text of a terminal's configuration file → its settings, or everything that is wrong with it. */
export const loadConfig = (text: string): Result<Config, readonly ConfigProblem[]> => {
  const released = configSchema.superRefine((config, context) => {
    if (config.profile === 'demo') return;
    for (const part of parts) {
      if (config[part].driver === 'virtual')
        context.addIssue({
          code: 'custom',
          path: [part, 'driver'],
          message: 'profile release refuses virtual drivers',
        });
    }
  });
  return readSettings(released, text, formerKeys);
};

/** `terminal.yaml:3:9: camera.fps: …`, one line a problem. */
export const printProblems = (file: string, problems: readonly ConfigProblem[]): string =>
  problems
    .map(({ line, column, reason, nearest }) => {
      const hint = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
      return `${file}:${line}:${column}: ${reason}${hint}\n`;
    })
    .join('');

const rangeOf = ({ enum: words, minimum, maximum, unit }: JsonSchema): string => {
  const range = words !== undefined ? words.join(' | ') : minimum !== undefined ? `${minimum} … ${maximum}` : '';
  return [range, unit ?? ''].filter((word) => word !== '').join(' ');
};

/**
 * A commented example made from a schema: each setting with its default, range and unit; settings without a default
 * are filled with their `example` and have to be changed.
 */
export const exampleOf = (schema: z.ZodType, title: string): string => {
  const text = [`# ${title}`, ''];
  const write = (section: JsonSchema, indent: string): void => {
    for (const [key, setting] of Object.entries(section.properties ?? {})) {
      const range = rangeOf(setting);
      if (setting.properties !== undefined) text.push('');
      const isRequired = section.required?.includes(key) === true;
      const must = isRequired && setting.properties === undefined ? 'Must be set. ' : '';
      text.push(`${indent}# ${must}${setting.description ?? ''}${range === '' ? '' : ` (${range})`}`);
      if (setting.default === undefined && setting.example === undefined && setting.properties === undefined) {
        text.push(`${indent}# ${key}:`);
      } else if (setting.properties === undefined) {
        text.push(`${indent}${key}: ${JSON.stringify(setting.default ?? setting.example)}`);
      } else {
        text.push(`${indent}${key}:`);
        write(setting, `${indent}  `);
      }
    }
  };
  write(describeSettings(schema), '');
  return `${text.join('\n')}\n`;
};
