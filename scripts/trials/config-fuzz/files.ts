import { mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { readFacilitySettings } from '../../../src/agent/settings/facility-settings-file.ts';
import { firstFacilitySettings } from '../../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { readAnswers } from '../../../src/cli/provision-clinic.ts';
import { printYaml } from '../../../src/config-file/plain-yaml.ts';
import { printProblems } from '../../../src/config-file/read-settings.ts';
import { readAgentConfig } from '../../../src/processes/agent-config.ts';
import { configSchema, exampleOf, loadConfig } from '../../../src/processes/terminal-config.ts';

/** Every file that a person writes, read by the very function of the product that reads it. */
export type ConfigFile = {
  readonly name: string;
  /** Good files to begin with */
  readonly texts: readonly string[];
  /** What comes of it. Throws what is wrong, one line a problem, each `file:line:column: …`. */
  readonly read: (bytes: Uint8Array) => Promise<unknown>;
  /** Only what must stand in it */
  readonly shortest: string;
  /** What the product makes of a written value, beside taking it */
  readonly meaning?: (key: string, value: unknown) => unknown;
};

/** As a technician writes: without marks, with comments, in other styles of the same. */
const byHand = (text: string): string =>
  text
    .replace(/^---\n/, '# 2026-11-29 by hand\n')
    .replace(/\.\.\.\n$/, '')
    .replaceAll(/^( *)(\w+): (\w[\w.-]*)$/gm, (line, indent, key, value) =>
      /^(true|false|\d+(\.\d+)?)$/.test(value) ? `${line} # as agreed` : `${indent}${key}: "${value}"`,
    );

const terminalText = printYaml({
  facility: 'clinic-0001',
  device: 'terminal-02',
  lane: 2,
  broker: { host: '192.0.2.17', port: 8884, keepaliveSeconds: 15 },
  face: { acceptUnverifiedModels: ['fr_feature', 'fr_liveness'], threshold: 0.52 },
  cardFrontReader: { driver: 'tesseract' },
  keypad: { driver: 'hid' },
  statusLight: { driver: 'serial', baud: 57_600 },
  speaker: { driver: 'alsa', device: 'hw:0', volume: 62 },
  screen: { port: 8490 },
  log: { level: 'warn' },
});

/** With what a technician writes into it. */
const filledExample = exampleOf(configSchema, 'Uketsuke terminal')
  .replace('<facility>', 'clinic-0001')
  .replace('<device>', 'terminal-02')
  .replace('<host>', '192.0.2.17');

const agentText = printYaml({
  broker: { host: '192.0.2.17', port: 8884, protocolVersion: 5, serverName: 'broker.clinic.example' },
  staffCodes: { minimumLength: 6, secondFactor: true },
  oqsFolder: 'C:\\OQS 共有\\受付',
  journal: 'D:\\uketsuke\\journal.sqlite',
  encoding: 'UTF-8',
  machineDependent: 'bytes',
  staffPort: 8491,
  publishesSettings: false,
  service: { driver: 'simulated', answerDelayMs: 2_000 },
  challengeLifeMs: 300_000,
  personalLifeMs: 43_200_000,
});

const { consents } = catalogueAt(Date.now());
const settingsText = printYaml({
  ...firstFacilitySettings(consents, 'dental', '山田歯科　受付 1 番', '1310000001'),
  languages: ['ja', 'ja-easy', 'en', 'vi'],
  textPercent: 150,
  timeouts: { answerMs: 90_000, cardReturnMs: 6_000, faceMs: 25_000, offlineMs: 40_000 },
});

const answersText = printYaml({
  facility: 'clinic-0001',
  name: 'さくら内科クリニック',
  institutionCode: '1310000001',
  kind: 'medical',
  lanes: 2,
  faceModelsAcceptedBy: '院長 佐藤',
});

const both = (text: string): readonly string[] => [text, byHand(text)];

export const configFiles = (directory: string): readonly ConfigFile[] => {
  mkdirSync(directory, { recursive: true });
  const at = (name: string): string => join(directory, name);
  const written = async <T>(name: string, bytes: Uint8Array, read: () => Promise<T>): Promise<T> => {
    writeFileSync(at(name), bytes);
    return read();
  };
  const paths = ['settingsFile', 'cardTrust', 'journal', 'staffFile', 'oqsFolder'];
  return [
    {
      // The terminal, its link, its face process and `doctor` read this one.
      name: 'terminal.yaml',
      texts: [filledExample, ...both(terminalText)],
      shortest: 'facility: clinic-0001\ndevice: terminal-02\nbroker:\n  host: 192.0.2.17\n',
      read: async (bytes) => {
        const read = loadConfig(bytes);
        if (!read.ok) throw new Error(printProblems(at('terminal.yaml'), read.failure).trimEnd());
        return read.value;
      },
    },
    {
      name: 'agent.yaml',
      texts: both(agentText),
      shortest: 'staffPort: 8490\n',
      read: (bytes) => written('agent.yaml', bytes, () => readAgentConfig(directory)),
      meaning: (key, value) =>
        paths.includes(key) && typeof value === 'string' && !isAbsolute(value) ? at(value) : value,
    },
    {
      name: 'facility-settings.yaml',
      texts: both(settingsText),
      shortest: [
        ...['facilityName: x', 'medicalInstitutionCode: "1310000001"', 'institutionType: dental', 'languages: [ja]'],
        ...['medicalSubsidy: false', 'prescriptionUse: 0', 'prescriptionTiming: 0', 'referralDocuments: false'],
        'padStrength: passive\n',
      ].join('\n'),
      read: (bytes) =>
        written('facility-settings.yaml', bytes, () => readFacilitySettings(at('facility-settings.yaml'))),
    },
    {
      name: 'answers.yaml',
      texts: both(answersText),
      shortest: 'facility: clinic-0001\nname: x\ninstitutionCode: "1310000001"\nkind: medical\n',
      read: (bytes) => written('answers.yaml', bytes, () => readAnswers(at('answers.yaml'))),
    },
  ];
};
