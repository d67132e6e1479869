import { chmod } from 'node:fs/promises';
import { renewBrokerFiles, writeMosquittoFiles } from '../agent/provisioning/broker-configuration.ts';
import { knowAddress } from '../agent/provisioning/known-addresses.ts';
import { makeFolder } from '../storage/make-folder.ts';
import {
  brokerPort,
  type ClinicPlaces,
  type ClinicSystem,
  clinicUnits,
  enrolmentUnits,
  exists,
  needRootOnDebian,
} from './provision-places.ts';
import { run, succeeds } from './run-commands.ts';
import { tell } from './say.ts';

const agentUnit = 'uketsuke-agent.service';

const giveTo = (user: string, directory: string): Promise<string> => run('chown', '-R', `${user}:${user}`, directory);

/** At the broker's port. Without the limits there is nothing that would keep the terminal out for its address. */
const keepPlace = async (device: string, address: string): Promise<void> => {
  try {
    await knowAddress(address, (args) => run('nft', ...args));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell("{device}: not known to the broker's connection limits ({reason})", { device, reason });
  }
};

export const debianClinic = (places: ClinicPlaces): ClinicSystem => ({
  check: async () => {
    needRootOnDebian();
    if (!(await exists(places.agent)) || !(await exists('/usr/lib/uketsuke')))
      throw new Error('the package uketsuke-agent is not installed here');
  },
  closePlaces: async () => {
    await makeFolder(places.facility, 0o700);
    for (const place of [places.facility, places.agent]) await chmod(place, 0o700);
  },
  // Root's place, in which the agent has nothing.
  closeToAgent: async () => {},
  giveToAgent: async () => {
    await giveTo('uketsuke-agent', places.agent);
    await giveTo('uketsuke-agent', places.oqs);
  },
  makeBroker: async () => {
    await makeFolder(places.broker, 0o700);
    await giveTo('mosquitto', places.broker);
    const place = { address: '0.0.0.0', port: brokerPort, directory: places.broker };
    await writeMosquittoFiles(places.facility, place);
  },
  startServices: async (anew) => {
    await run('systemctl', 'enable', '--now', ...clinicUnits);
    await run('systemctl', 'reload', 'uketsuke-broker.service');
    // It reads its trust anchors when it starts.
    if (anew) await run('systemctl', 'restart', agentUnit);
  },
  agentService: {
    isRunning: () => succeeds('systemctl', 'is-active', '--quiet', agentUnit),
    stop: async () => void (await run('systemctl', 'stop', agentUnit)),
    start: async () => void (await run('systemctl', 'start', agentUnit)),
  },
  openEnrolment: async (passphrase, minutes) => {
    await succeeds('systemctl', 'stop', enrolmentUnits);
    const properties = [
      `LoadCredential=facility-ca-passphrase:${passphrase}`,
      `RuntimeMaxSec=${minutes * 60 + 60}`,
      'Type=exec',
    ];
    await run(
      'systemd-run',
      '--quiet',
      '--collect',
      // A name of its own: systemd makes none anew before it has forgotten the one before, in its own time.
      `--unit=uketsuke-enrolment-${process.pid}.service`,
      ...properties.map((each) => `--property=${each}`),
      ...[process.execPath, '--disable-warning=ExperimentalWarning', process.argv[1] ?? ''],
      ...['provision', 'listen', '--minutes', String(minutes)],
    );
  },
  admitTerminal: async (device, address) => {
    await renewBrokerFiles(places.facility);
    await keepPlace(device, address);
    await run('systemctl', 'reload', 'uketsuke-broker.service');
  },
});
