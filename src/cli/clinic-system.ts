import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeMosquittoFiles } from '../agent/provisioning/broker-configuration.ts';
import {
  brokerPort,
  clinicPlaces,
  clinicUnits,
  enrolmentPort,
  enrolmentUnit,
  exists,
  needRootOnDebian,
  run,
  succeeds,
} from './provision-places.ts';

/** What `uketsuke provision clinic` asks of the system of the clinic's PC. */
type ClinicSystem = {
  /** Throws where it cannot work. */
  readonly check: () => Promise<void>;
  /** A directory and what is in it: for the agent alone, or for the レセコン, too */
  readonly giveToAgent: (directory: string, isShared: boolean) => void;
  readonly makeBroker: () => Promise<void>;
  /** `anew`: what already runs begins again with what was changed. */
  readonly startServices: (anew: boolean) => void;
  /** Waits for terminals beside whatever is done here next, for so many minutes; a second call begins it anew. */
  readonly openEnrolment: (passphraseFile: string, minutes: number) => void;
};

const own = (): readonly [string, string] => [process.execPath, process.argv[1] ?? ''];
const quietly = '--disable-warning=ExperimentalWarning';

const giveTo = (user: string, directory: string): void => run('chown', '-R', `${user}:${user}`, directory);

const debian: ClinicSystem = {
  check: async () => {
    needRootOnDebian();
    if (!(await exists(clinicPlaces.agent)) || !(await exists('/usr/lib/uketsuke')))
      throw new Error('the package uketsuke-agent is not installed here');
  },
  giveToAgent: (directory) => giveTo('uketsuke-agent', directory),
  makeBroker: async () => {
    await mkdir(clinicPlaces.broker, { recursive: true, mode: 0o700 });
    giveTo('mosquitto', clinicPlaces.broker);
    const place = { address: '0.0.0.0', port: brokerPort, directory: clinicPlaces.broker };
    await writeMosquittoFiles(clinicPlaces.facility, place);
  },
  startServices: (anew) => {
    run('systemctl', 'enable', '--now', ...clinicUnits);
    run('systemctl', 'reload', 'uketsuke-broker.service');
    // It reads its trust anchors when it starts.
    if (anew) run('systemctl', 'restart', 'uketsuke-agent.service');
  },
  openEnrolment: (passphrase, minutes) => {
    succeeds('systemctl', 'stop', enrolmentUnit);
    succeeds('systemctl', 'reset-failed', enrolmentUnit);
    const properties = [
      `LoadCredential=facility-ca-passphrase:${passphrase}`,
      `RuntimeMaxSec=${minutes * 60 + 60}`,
      'Type=exec',
    ];
    const [node, main] = own();
    run(
      'systemd-run',
      '--quiet',
      '--collect',
      `--unit=${enrolmentUnit}`,
      ...properties.map((each) => `--property=${each}`),
      ...[node, quietly, main, 'provision', 'listen'],
    );
  },
};

const service = 'UketsukeAgent';
/** Well-known names of Windows, which it calls otherwise in every language: LOCAL SERVICE, SYSTEM, Administrators, Users */
const windowsUsers = {
  agent: '*S-1-5-19',
  system: '*S-1-5-18',
  administrators: '*S-1-5-32-544',
  users: '*S-1-5-32-545',
};
const servicesKey = 'HKLM\\SYSTEM\\CurrentControlSet\\Services';
/** ERROR_SERVICE_ALREADY_RUNNING */
const alreadyRunning = 1056;
const statusOf = (program: string, ...args: string[]): number | null =>
  spawnSync(program, args, { stdio: 'ignore', timeout: 120_000 }).status;
const wholeFolder = '(OI)(CI)';

const windows: ClinicSystem = {
  check: async () => {
    try {
      // Nobody but an administrator puts anything there.
      await rmdir(await mkdtemp(join(process.env.ProgramFiles ?? 'C:\\Program Files', 'uketsuke-')));
    } catch {
      throw new Error('as an administrator');
    }
  },
  giveToAgent: (directory, isShared) => {
    const { agent, system, administrators, users } = windowsUsers;
    const granted = [`${system}:${wholeFolder}F`, `${administrators}:${wholeFolder}F`, `${agent}:${wholeFolder}M`];
    if (isShared) granted.push(`${users}:${wholeFolder}M`);
    run('icacls.exe', directory, '/inheritance:r', '/grant:r', ...granted);
  },
  // The agent runs it: a clinic's PC has no other.
  makeBroker: async () => {},
  startServices: (anew) => {
    const [node, main] = own();
    const words = [
      ...['windows-service', '--log-file', join(clinicPlaces.agent, 'agent.log'), service],
      ...['agent', '--dir', clinicPlaces.agent, '--embedded-broker', '--facility-dir', clinicPlaces.facility],
      ...['--broker-host', '0.0.0.0', '--broker-port', String(brokerPort)],
    ];
    const command = [node, quietly, main, ...words].map((word) => `"${word}"`).join(' ');
    const how = ['binPath=', command, 'start=', 'auto', 'obj=', 'NT AUTHORITY\\LocalService'];
    if (!succeeds('sc.exe', 'query', service))
      run('sc.exe', 'create', service, ...how, 'DisplayName=', 'Uketsuke agent');
    else if (!succeeds('sc.exe', 'config', service, ...how))
      run(
        'reg.exe',
        'add',
        `${servicesKey}\\${service}`,
        '/v',
        'ImagePath',
        '/t',
        'REG_EXPAND_SZ',
        '/d',
        command,
        '/f',
      );
    run('sc.exe', 'failure', service, 'reset=', '86400', 'actions=', 'restart/1000/restart/5000/restart/60000');
    for (const [name, port] of [
      ['Uketsuke broker', brokerPort],
      ['Uketsuke enrolment', enrolmentPort],
    ] as const) {
      succeeds('netsh.exe', 'advfirewall', 'firewall', 'delete', 'rule', `name=${name}`);
      const rule = [`name=${name}`, 'dir=in', 'action=allow', 'profile=private,domain', 'protocol=TCP'];
      run('netsh.exe', 'advfirewall', 'firewall', 'add', 'rule', ...rule, `localport=${port}`);
    }
    if (anew) succeeds('sc.exe', 'stop', service);
    const status = statusOf('sc.exe', 'start', service);
    if (status !== 0 && status !== alreadyRunning)
      throw new Error(`the service ${service} does not start (${status}): see agent.log in ${clinicPlaces.agent}`);
  },
  openEnrolment: (passphraseFile) => {
    const [node, main] = own();
    const words = [quietly, main, 'provision', 'listen', '--ca-passphrase-file', passphraseFile];
    spawn(node, words, { detached: true, stdio: 'ignore', windowsHide: true }).unref();
  },
};

export const clinicSystem: ClinicSystem = process.platform === 'win32' ? windows : debian;

/** Windows: the agent's directory lies in the facility's; Debian: in a place of its own, with a link to it. */
export const agentLiesInFacility = dirname(dirname(clinicPlaces.agent)) === clinicPlaces.facility;
