import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTestAuthority } from '../../drivers/virtual/test-authority.ts';
import { writeCardTrust } from '../../src/agent/provisioning/card-trust.ts';
import { addAgent, addDevice, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { addStaffMember } from '../../src/agent/staff-page/staff-codes.ts';
import { firstFacilitySettings, withEveryQuestion } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { printYaml } from '../../src/config-file/plain-yaml.ts';
import { keyFolders } from '../../src/trust/key-files.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';

export const projectRoot: string = fileURLToPath(new URL('../..', import.meta.url));

/** Test authority and card keys outlive a demo: RSA keys are slow to make. Git-ignored. */
export const authorityFolder: string = join(projectRoot, '.cache/test-authority');
export const keyFolder: string = join(projectRoot, '.cache/card-keys');

export const facilityId = 'demo-clinic';
export const deviceId = 'terminal-01';
export const agentId = 'agent-01';

/** Who may approve a patient by eye (目視) in the demo, and the code that proves it. */
export const demoStaff = { approver: 'nurse-1', label: '看護師 見本', staffCode: '2580' } as const;

const { consents } = catalogueAt(Date.now());

const ordinary = firstFacilitySettings(consents, 'medical', 'さくら内科クリニック', '1310000001');
/** Every question is switched on. */
const settings: FacilitySettings = {
  ...withEveryQuestion(consents, ordinary),
  languages: ['ja', 'ja-easy', 'en', 'zh-Hans', 'zh-Hant', 'ko', 'vi', 'pt', 'tl', 'ne'],
};

type DemoFacility = {
  readonly directory: string;
  readonly agentDirectory: string;
  readonly deviceDirectory: string;
};

/**
 * A clinic with one agent and one terminal in a fresh directory: facility CA, keys as files, trust in the test cards.
 * `answerDelayMs`: how long the simulated national service takes.
 */
export const createDemoFacility = async (
  directory: string,
  {
    answerDelayMs,
    staffPort,
    questions = 'every',
    changes = {},
  }: {
    readonly answerDelayMs: number;
    readonly staffPort: number;
    /** `ordinary`: the catalogue's defaults for 医科 */
    readonly questions?: 'ordinary' | 'every';
    /** Settings that this clinic has otherwise */
    readonly changes?: Partial<FacilitySettings>;
  },
): Promise<DemoFacility> => {
  await createFacility(directory, { facility: facilityId, brokerNames: ['localhost', '127.0.0.1'] });
  const agentDirectory = await addAgent(directory, agentId);
  const deviceDirectory = await addDevice(directory, deviceId, 1);
  const { caCertificatePem, cvIssuersJson } = await ensureTestAuthority(authorityFolder);
  await writeCardTrust(join(agentDirectory, 'card-trust'), { certificateIssuersPem: caCertificatePem, cvIssuersJson });
  copyFileSync(join(authorityFolder, 'cv-issuers.json'), join(deviceDirectory, keyFolders.terminal, 'cv-issuers.json'));
  const { staffCode, ...member } = demoStaff;
  await addStaffMember(join(agentDirectory, 'staff.json'), member, staffCode);
  writeFileSync(
    join(agentDirectory, 'facility-settings.yaml'),
    printYaml({ ...(questions === 'ordinary' ? ordinary : settings), ...changes }),
  );
  writeFileSync(join(agentDirectory, 'agent.yaml'), printYaml({ staffPort, service: { answerDelayMs } }));
  return { directory, agentDirectory, deviceDirectory };
};

/** The terminal's configuration file, as a technician would write it. */
export const writeTerminalConfig = (
  facility: DemoFacility,
  {
    brokerPort,
    screenPort,
    protocolVersion = 4,
  }: { readonly brokerPort: number; readonly screenPort: number; readonly protocolVersion?: 4 | 5 },
): string => {
  const file = join(facility.directory, 'terminal.yaml');
  const config = {
    profile: 'demo',
    facility: facilityId,
    device: deviceId,
    lane: 1,
    cardReader: { driver: 'virtual' },
    camera: { driver: 'virtual' },
    cardFrontReader: { driver: 'virtual' },
    keypad: { driver: 'virtual' },
    speaker: { driver: 'page' },
    statusLight: { driver: 'virtual' },
    screen: { port: screenPort },
    broker: { host: 'localhost', port: brokerPort, protocolVersion },
    paths: {
      provisioning: facility.deviceDirectory,
      store: join(facility.directory, 'link.sqlite'),
      models: join(projectRoot, 'models'),
      screens: join(projectRoot, 'dist/screens'),
    },
    face: { socket: join(facility.directory, 'face.sock') },
    link: { socket: join(facility.directory, 'link.sock'), health: join(facility.directory, 'link-health.sock') },
    health: { socket: join(facility.directory, 'health.sock') },
  };
  writeFileSync(file, printYaml(config));
  return file;
};
