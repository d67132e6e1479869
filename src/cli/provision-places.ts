import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { copiesOfConfig, defaultConfigPath } from '../processes/terminal-config.ts';

export const agentId = 'agent-1';

export type ClinicPlaces = {
  readonly facility: string;
  readonly agent: string;
  readonly broker: string;
  readonly oqs: string;
};

const placesOnDebian: ClinicPlaces = {
  facility: '/var/lib/uketsuke-facility',
  agent: '/var/lib/uketsuke-agent',
  broker: '/etc/mosquitto/uketsuke',
  oqs: '/srv/oqs',
};

/** The agent runs the broker; the folder is where the 資格確認端末 has it. */
const placesOnWindows = (programData: string): ClinicPlaces => ({
  facility: `${programData}\\Uketsuke`,
  agent: `${programData}\\Uketsuke\\agents\\${agentId}`,
  broker: `${programData}\\Uketsuke\\broker`,
  oqs: 'C:\\OQS',
});

/** Where things lie on the clinic's PC: the units name the same. */
export const clinicPlaces: ClinicPlaces =
  process.platform === 'win32' ? placesOnWindows(process.env.ProgramData ?? 'C:\\ProgramData') : placesOnDebian;
export const brokerPort = 8883;
/** Enrolment, TCP; and the search for it, UDP */
export const enrolmentPort = 8884;
export const passphraseName = 'ca-passphrase';
export const passphraseFile = join(clinicPlaces.facility, passphraseName);

export const clinicUnits = [
  'uketsuke-broker.service',
  'uketsuke-broker-reload.path',
  'uketsuke-agent.service',
] as const;

/** What `provision` makes, or what runs by it, and `undo` and the packages' purge take away: the folder of the レセコン stays. */
export const madePlaces = {
  terminal: [
    defaultConfigPath,
    ...Object.values(copiesOfConfig(defaultConfigPath)),
    '/etc/uketsuke/enrolment-code.json',
    '/etc/uketsuke/provisioning',
    '/etc/systemd/system/uketsuke-link.service.d',
    '/var/lib/uketsuke',
    '/var/lib/uketsuke-link',
  ],
  clinic: [
    placesOnDebian.broker,
    placesOnDebian.agent,
    '/var/lib/uketsuke-broker',
    '/var/lib/uketsuke-broker-limits',
    placesOnDebian.facility,
  ],
} as const;
/** What the broker's unit brings along: limits of its port */
export const limitsUnit = 'uketsuke-broker-limits.service';
/** Made when codes are given out, gone when none is open any more */
export const enrolmentUnits = 'uketsuke-enrolment*.service';

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

export const needRootOnDebian = (): void => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('as root, on Debian');
};

/** What `uketsuke provision clinic` asks of the system of the clinic's PC: everything in which Debian and Windows differ. */
export type ClinicSystem = {
  /** 4 (= MQTT 3.1.1) where its broker speaks no other */
  readonly brokerProtocol?: 4;
  /** Throws where it cannot work. */
  readonly check: () => Promise<void>;
  /** Before anything is written: whoever else uses this PC opens nothing of what will lie in the places, nor adds to it. */
  readonly closePlaces: () => Promise<void>;
  /** A file there that is not for the agent, either. */
  readonly closeToAgent: (file: string) => Promise<void>;
  /** The agent's directory, for the agent alone; the folder shared with the レセコン, for its users, too */
  readonly giveToAgent: () => Promise<void>;
  readonly makeBroker: () => Promise<void>;
  /** `anew`: what already runs begins again with what was changed. */
  readonly startServices: (anew: boolean) => Promise<void>;
  /** The agent's own alone, for what must be done while it does not write. `stop` returns when it has ended. */
  readonly agentService: {
    readonly isRunning: () => Promise<boolean>;
    readonly stop: () => Promise<void>;
    readonly start: () => Promise<void>;
  };
  /** Waits for terminals beside whatever is done here next, for so many minutes; a second call begins it anew. */
  readonly openEnrolment: (passphraseFile: string, minutes: number) => Promise<void>;
  /** A terminal was added: whoever guards the broker lets it in from now on, from this address. */
  readonly admitTerminal: (device: string, address: string) => Promise<void>;
};
