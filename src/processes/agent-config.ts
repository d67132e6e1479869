import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const milliseconds = (minimum: number, maximum: number, preset: number) =>
  z.number().int().min(minimum).max(maximum).default(preset);

/** `agent.yaml` in the agent's directory; every setting has a default. Relative paths begin at that directory. */
const agentConfigSchema = z.strictObject({
  broker: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: z.number().int().min(1).max(65_535).default(8883),
      /** The name in the broker's certificate, where it is reached under another */
      serverName: z.string().optional(),
      /** 5; 4 (= 3.1.1) for the embedded broker */
      protocolVersion: z.union([z.literal(4), z.literal(5)]).default(5),
    })
    .prefault({}),
  /** What the clinic decides for all terminals; watched while the agent runs */
  settingsFile: z.string().default('facility-settings.yaml'),
  /** Of several agents of a facility one alone publishes the settings: their versions must not compete */
  publishesSettings: z.boolean().default(true),
  /** Trust anchors of cards */
  cardTrust: z.string().default('card-trust'),
  journal: z.string().default('journal.sqlite'),
  /** Approvers and the hashes of their staffCode */
  staffFile: z.string().default('staff.json'),
  /** What is asked of whoever approves 目視確認; a facility may turn on more than four digits, or a second factor */
  staffCodes: z
    .strictObject({
      minimumLength: z.number().int().min(4).max(64).default(4),
      /** A one-time code of an authenticator app besides the staffCode */
      secondFactor: z.boolean().default(false),
    })
    .prefault({}),
  /** Shared with the レセコン: face/, req/, res/ */
  oqsFolder: z.string().default('oqs'),
  /** Most レセコン read Shift_JIS. Every file of the folder has the same; what it lacks stands as a character reference */
  encoding: z.enum(['Shift_JIS', 'UTF-8']).default('Shift_JIS'),
  /** What a file in Shift_JIS calls itself. Windows-31J is the true name of its bytes where `machineDependent` are bytes */
  shiftJisLabel: z.enum(['Shift_JIS', 'Windows-31J']).default('Shift_JIS'),
  /** 髙 﨑 ① ⅰ: as references, which every XML reader takes, or as the bytes of Windows-31J, which libxml2 and REXML refuse */
  machineDependent: z.enum(['character-reference', 'bytes']).default('character-reference'),
  /** Read and passed over: a file of its own encoding for one rare character is no longer written */
  whenShiftJisLacks: z.enum(['utf-8', 'character-reference']).optional(),
  /** Loopback port of the staff page; 0 = any free one */
  staffPort: z.number().int().min(0).max(65_535).default(8490),
  service: z
    .strictObject({
      /** The official software's interface is not public; a driver for it would be named here */
      driver: z.literal('simulated').default('simulated'),
      answerDelayMs: milliseconds(0, 60_000, 3_000),
    })
    .prefault({}),
  challengeLifeMs: milliseconds(60_000, 3_600_000, 600_000),
  /** Personal data of a visit whose file could not be written is deleted after this; consents end after 24 h, too */
  personalLifeMs: milliseconds(60_000, 7 * 86_400_000, 86_400_000),
});
export type AgentConfig = z.infer<typeof agentConfigSchema>;
export type AgentConfigInput = z.input<typeof agentConfigSchema>;

/** `agent.yaml` where there is one, under what the command line says. Paths come back absolute. Throws on mistakes. */
export const readAgentConfig = async (directory: string, overrides: AgentConfigInput = {}): Promise<AgentConfig> => {
  const path = join(directory, 'agent.yaml');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const file = (parse(text) ?? {}) as AgentConfigInput;
  const checked = agentConfigSchema.safeParse({
    ...file,
    ...overrides,
    broker: { ...file.broker, ...overrides.broker },
    service: { ...file.service, ...overrides.service },
  });
  if (!checked.success) throw new Error(`${path}:\n${z.prettifyError(checked.error)}`);
  const at = (name: string): string => (isAbsolute(name) ? name : join(directory, name));
  const config = checked.data;
  return {
    ...config,
    settingsFile: at(config.settingsFile),
    cardTrust: at(config.cardTrust),
    journal: at(config.journal),
    staffFile: at(config.staffFile),
    oqsFolder: at(config.oqsFolder),
  };
};
