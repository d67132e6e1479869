import { z } from 'zod';
import { type ConfigProblem, framed } from '../config-file/plain-yaml.ts';
import { describeSettings, type JsonSchema, readSettings } from '../config-file/read-settings.ts';
import type { Result } from '../core/result.ts';
import { profiles } from '../wire/profile.ts';

/** Where a device looks for its configuration when `--config` is not given. */
export const defaultConfigPath = '/etc/uketsuke/terminal.yaml';
/** Copies that our commands leave beside a configuration file; gone with it when a terminal is given away. */
export const copiesOfConfig = (path: string) => ({
  /** The last good one, as provisioning or `config check --keep` left it */
  good: `${path.replace(/\.yaml$/, '')}.good.yaml`,
  /** As it was before `config restore` */
  replaced: `${path}.replaced`,
  /** As it was before the last enrolment */
  before: `${path}.before`,
});

const identifier = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'small letters, digits and hyphens, a letter first');
const path = z.string().min(1).max(200).startsWith('/', 'an absolute path');
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'hours and minutes, 00:00 to 23:59');
const devicePath = z.string().regex(/^\/dev\/[\w./-]+$/, 'a device below /dev');
const host = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, 'a host name or an IPv4 address')
  .refine((name) => !/\.example$/i.test(name), 'a name of documents, which nobody has');
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
  profile: z
    .enum(profiles)
    .default('release')
    .describe('release refuses virtual drivers and test cards; test takes test cards, and every screen says so.'),
  facility: identifier.describe('Id of the facility (医療機関等), as in its topics.').meta({ example: 'clinic-0001' }),
  device: identifier.describe('Id of this terminal; the CN of its certificate.').meta({ example: 'terminal-01' }),
  lane: z.int().min(1).max(99).default(1).describe('Number of the counter this terminal stands at.'),
  cardReader: section('The contactless reader for My Number cards.', {
    driver: z.enum(['pcsc', 'virtual']).default('pcsc').describe('pcsc: a reader that pcscd knows.'),
    name: z
      .string()
      .max(100)
      .default('')
      .describe('Part of the PC/SC name; empty: every slot of every reader, but those for security modules.'),
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
    microphone: z
      .string()
      .regex(/^[\w:=,.-]{0,80}$/)
      .default('')
      .describe(
        'ALSA device of a microphone that hears the loudspeaker in the self-test, for 3 s; empty: a person listens.',
      ),
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
    diagonalInches: z
      .number()
      .min(5)
      .max(32)
      .default(10.1)
      .meta({ unit: 'inch' })
      .describe('Of the panel: letters and buttons are sized in millimetres by it (docs/screens.md).'),
  }),
  broker: section("The clinic's MQTT broker, mutual TLS only.", {
    host: host.describe('Host name or address.').meta({ example: '192.168.1.10' }),
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
  updates: section('Releases of a device with two slots (uketsuke update, docs/updating.md).', {
    folder: path
      .default('/persistent/updates')
      .describe('Bundles (.raucb) that lie here are installed when they may be.'),
    closedFrom: clockTime
      .default('21:00')
      .describe('An update begins only when the clinic is closed: from this hour (JST)'),
    closedUntil: clockTime.default('07:00').describe('until this one, and half an hour before it at the latest.'),
    status: path.default('/run/uketsuke-update/status.json').describe('Where `uketsuke update status` reads.'),
    trialMark: path
      .default('/run/uketsuke-update/trial')
      .describe('There as long as a new release has not proved itself.'),
  }),
  health: section('Self-supervision.', {
    socket: path.default('/run/uketsuke/health.sock').describe('Unix socket where `uketsuke doctor` asks.'),
  }),
  machine: section('The machine itself.', {
    reboot: z
      .array(z.string())
      .default(['systemctl', '--no-ask-password', '--no-block', 'start', 'reboot.target'])
      .describe('What is run when the clinic orders a reboot; empty: nothing, the order is refused.'),
  }),
  log: section('Event log on standard error (journald).', {
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Lines below it are not written.'),
  }),
});
export type Config = z.infer<typeof configSchema>;

/** A terminal that was set up by an earlier release keeps its file. */
const formerKeys = { cardFaceReader: 'cardFrontReader' };

/** The parts that can be virtual. */
const parts = ['cardReader', 'camera', 'cardFrontReader', 'keypad', 'statusLight'] as const;

/** A terminal's configuration file → its settings, or everything that is wrong with it. */
export const loadConfig = (file: string | Uint8Array): Result<Config, readonly ConfigProblem[]> => {
  const released = configSchema.superRefine((config, context) => {
    if (config.profile === 'demo') return;
    for (const part of parts) {
      if (config[part].driver === 'virtual')
        context.addIssue({
          code: 'custom',
          path: [part, 'driver'],
          message: `profile ${config.profile} refuses virtual drivers`,
        });
    }
  });
  return readSettings(released, file, formerKeys);
};

const rangeOf = ({ enum: words, minimum, maximum, unit }: JsonSchema): string => {
  const range = words !== undefined ? words.join(' | ') : minimum !== undefined ? `${minimum} … ${maximum}` : '';
  return [range, unit ?? ''].filter((word) => word !== '').join(' ');
};

/**
 * A commented example made from a schema: each setting with its default, range and unit; settings without a default
 * hold a placeholder that no check lets pass, with their `example` in the comment.
 */
export const exampleOf = (schema: z.ZodType, title: string): string => {
  const text = [`# ${title}`, ''];
  const write = (section: JsonSchema, indent: string): void => {
    for (const [key, setting] of Object.entries(section.properties ?? {})) {
      const range = rangeOf(setting);
      if (setting.properties !== undefined) text.push('');
      const isRequired = section.required?.includes(key) === true;
      const must = isRequired && setting.properties === undefined ? `Must be set, as ${setting.example}: ` : '';
      text.push(`${indent}# ${must}${setting.description ?? ''}${range === '' ? '' : ` (${range})`}`);
      if (setting.default === undefined && setting.example === undefined && setting.properties === undefined) {
        text.push(`${indent}# ${key}:`);
      } else if (setting.properties === undefined) {
        text.push(`${indent}${key}: ${JSON.stringify(setting.default ?? `<${key}>`)}`);
      } else {
        text.push(`${indent}${key}:`);
        write(setting, `${indent}  `);
      }
    }
  };
  write(describeSettings(schema), '');
  return framed(`${text.join('\n')}\n`);
};
