import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { printProblems, readSettings } from '../config-file/read-settings.ts';
import { serviceBehaviours } from '../core/service-behaviour.ts';
import { dayMs, hourMs } from '../core/time-units.ts';

/** No range reaches over a factor of 1,000: seconds written for milliseconds are refused, not taken. */
const milliseconds = (minimum: number, maximum: number, preset: number) =>
  z.number().int().min(minimum).max(maximum).default(preset);

const hostName = z.union(
  [z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/), z.ipv6()],
  'a host name or an address',
);

/**
 * Absolute, or from the agent's directory. `\oqs` (what is left of `\\server\oqs` in double quotes) and `C:oqs` begin
 * wherever the program happens to stand; `oqs:x` is a hidden stream of the file `oqs`.
 */
const path = z
  .string()
  .min(1)
  .max(400)
  .regex(
    /^([A-Za-z]:(?=[\\/])|\\(?=\\)|(?!\\))[^:*?"<>|]*$/,
    'no path of a file: C:\\…, \\\\server\\…, or a name, without : * ? " < > |',
  );

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM');

/** Without a password: what stands in a configuration is copied about. PGPASSFILE names the file that holds it. */
const postgresAddress = z
  .string()
  .max(400)
  .regex(/^postgres(ql)?:\/\/[^:@/\s]+@[^@/\s]+\/[^/\s]+$/, 'postgres://USER@HOST:PORT/DATABASE, without a password');

/** `agent.yaml` in the agent's directory; every setting has a default. Relative paths begin at that directory. */
export const agentConfigSchema = z.strictObject({
  broker: z
    .strictObject({
      host: hostName.default('127.0.0.1'),
      port: z.number().int().min(1).max(65_535).default(8883),
      /** The name in the broker's certificate, where it is reached under another */
      serverName: hostName.optional(),
      /** 5; 4 (= 3.1.1) for the embedded broker */
      protocolVersion: z.union([z.literal(4), z.literal(5)]).default(5),
    })
    .prefault({}),
  /** What the clinic decides for all terminals; watched while the agent runs */
  settingsFile: path.default('facility-settings.yaml'),
  /** Of several agents of a facility one alone publishes the settings: their versions must not compete */
  publishesSettings: z.boolean().default(true),
  /** Trust anchors of cards */
  cardTrust: path.default('card-trust'),
  journal: path.default('journal.sqlite'),
  /** Instead of that file: a PostgreSQL that several agents of the facility share. `uketsuke agent journal move` sets it */
  journalDatabase: postgresAddress.optional(),
  /** Approvers and the hashes of their staffCode */
  staffFile: path.default('staff.json'),
  /** What is asked of whoever approves 目視確認; a facility may turn on more than four digits, or a second factor */
  staffCodes: z
    .strictObject({
      minimumLength: z.number().int().min(4).max(64).default(4),
      /** A one-time code of an authenticator app besides the staffCode */
      secondFactor: z.boolean().default(false),
    })
    .prefault({}),
  /** Shared with the レセコン: face/, req/, res/ */
  oqsFolder: path.default('oqs'),
  /** Most レセコン read Shift_JIS. Every file of the folder has the same; what it lacks stands as a character reference */
  encoding: z.enum(['Shift_JIS', 'UTF-8']).default('Shift_JIS'),
  /** What a file in Shift_JIS calls itself. Windows-31J is the true name of its bytes where `machineDependent` are bytes */
  shiftJisLabel: z.enum(['Shift_JIS', 'Windows-31J']).default('Shift_JIS'),
  /** 髙 﨑 ① ⅰ: as references, which every XML reader takes, or as the bytes of Windows-31J, which libxml2 and REXML refuse */
  machineDependent: z.enum(['character-reference', 'bytes']).default('character-reference'),
  /** Read and passed over: a file of its own encoding for one rare character is no longer written */
  whenShiftJisLacks: z.enum(['utf-8', 'character-reference']).optional(),
  /** A terminal that was added within the hour is tried out (テスト受付) as soon as it is ready; `provision clinic` turns it on */
  triesNewTerminals: z.boolean().default(false),
  /** 始業前点検 of each terminal, once a day from then on (Japan), when it serves nobody; nothing sounds or shines. off: by the button alone */
  selfTestAt: z
    .string()
    .regex(/^(([01]\d|2[0-3]):[0-5]\d|off)$/, 'HH:MM, or off')
    .default('07:00'),
  /** Releases for terminals with two slots: `uketsuke-terminal-arm64.raucb` and the like; terminals fetch them at night */
  bundles: path.default('bundles'),
  /** Of a chain: its settings and releases come in signed waves, out of a folder (docs/updating.md). Left out: by hand */
  rollout: z
    .strictObject({
      /** Where the chain's orders lie: a share, or a folder that something else keeps the same */
      folder: path,
      /** Whom to believe; `uketsuke rollout init` made it */
      trust: path.default('rollout-trust.json'),
      /** true: this facility gets its releases by its own hands */
      ownRelease: z.boolean().default(false),
      /** Names of settings that stay as the facility's own file says */
      ownSettings: z.array(z.string().regex(/^[A-Za-z]{1,40}$/)).default([]),
      /** An order is begun between these, Japan */
      closedFrom: timeOfDay.default('21:00'),
      closedUntil: timeOfDay.default('07:00'),
    })
    .optional(),
  /** Loopback port of the staff page; 0 = any free one */
  staffPort: z.number().int().min(0).max(65_535).default(8490),
  service: z
    .strictObject({
      /** The official software's interface is not public; a driver for it would be named here */
      driver: z.literal('simulated').default('simulated'),
      /** 0, or no fewer than 100: `3` would be seconds */
      answerDelayMs: z
        .union([z.literal(0), z.number().int().min(100).max(60_000)], '0, or 100 to 60000 ms')
        .default(3_000),
      /** For a drill: how the simulated service behaves towards everybody */
      behaviour: z.enum(serviceBehaviours).default('normal'),
    })
    .prefault({}),
  challengeLifeMs: milliseconds(60_000, hourMs, 600_000),
  /** Personal data of a visit whose file could not be written is deleted after this; consents end after 24 h, too */
  personalLifeMs: milliseconds(hourMs, 7 * dayMs, dayMs),
});
export type AgentConfig = z.infer<typeof agentConfigSchema>;
export type AgentConfigInput = z.input<typeof agentConfigSchema>;

/** `agent.yaml` where there is one, under what the command line says. Paths come back absolute. Throws on mistakes. */
export const readAgentConfig = async (directory: string, overrides: AgentConfigInput = {}): Promise<AgentConfig> => {
  const path = join(directory, 'agent.yaml');
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const read = bytes === null ? null : readSettings(agentConfigSchema, bytes);
  if (read?.ok === false) throw new Error(printProblems(path, read.failure).trimEnd());
  const file = read?.value ?? agentConfigSchema.parse({});
  const checked = agentConfigSchema.safeParse({
    ...file,
    ...overrides,
    broker: { ...file.broker, ...overrides.broker },
    service: { ...file.service, ...overrides.service },
  });
  // What is left then is what the command line says.
  if (!checked.success) throw new Error(z.prettifyError(checked.error));
  const at = (name: string): string => (isAbsolute(name) ? name : join(directory, name));
  const config = checked.data;
  return {
    ...config,
    settingsFile: at(config.settingsFile),
    cardTrust: at(config.cardTrust),
    journal: at(config.journal),
    staffFile: at(config.staffFile),
    oqsFolder: at(config.oqsFolder),
    bundles: at(config.bundles),
    ...(config.rollout !== undefined && {
      rollout: { ...config.rollout, folder: at(config.rollout.folder), trust: at(config.rollout.trust) },
    }),
  };
};
