import { execFileSync } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

export const agentId = 'agent-1';

type ClinicPlaces = {
  readonly facility: string;
  readonly agent: string;
  readonly broker: string;
  readonly oqs: string;
};

const onDebian: ClinicPlaces = {
  facility: '/var/lib/uketsuke-facility',
  agent: '/var/lib/uketsuke-agent',
  broker: '/etc/mosquitto/uketsuke',
  oqs: '/srv/oqs',
};

/** The agent runs the broker; the folder is where the 資格確認端末 has it. */
const onWindows = (programData: string): ClinicPlaces => ({
  facility: `${programData}\\Uketsuke`,
  agent: `${programData}\\Uketsuke\\agents\\${agentId}`,
  broker: `${programData}\\Uketsuke\\broker`,
  oqs: 'C:\\OQS',
});

/** Where things lie on the clinic's PC: the units name the same. */
export const clinicPlaces: ClinicPlaces =
  process.platform === 'win32' ? onWindows(process.env.ProgramData ?? 'C:\\ProgramData') : onDebian;
export const brokerPort = 8883;
/** Enrolment, TCP; and the search for it, UDP */
export const enrolmentPort = 8884;
export const passphraseFile = join(clinicPlaces.facility, 'ca-passphrase');

export const clinicUnits = [
  'uketsuke-broker.service',
  'uketsuke-broker-reload.path',
  'uketsuke-agent.service',
] as const;
/** Made when codes are given out, gone when none is open any more */
export const enrolmentUnit = 'uketsuke-enrolment.service';

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Throws when it ends badly; its standard error is shown. */
export const run = (program: string, ...args: string[]): void =>
  void execFileSync(program, args, { stdio: ['ignore', 'ignore', 2], timeout: 120_000 });

/** Whether it ends well; nothing is shown. */
export const succeeds = (program: string, ...args: string[]): boolean => {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 120_000 });
    return true;
  } catch {
    return false;
  }
};

export const needRootOnDebian = (): void => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('as root, on Debian');
};
