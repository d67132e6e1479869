import { spawn } from 'node:child_process';
import { lstat, mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolder } from '../storage/make-folder.ts';
import {
  brokerPort,
  type ClinicPlaces,
  type ClinicSystem,
  enrolmentPort,
  exists,
  passphraseName,
} from './provision-places.ts';
import { outcomeOf } from './run-commands.ts';

const service = 'UketsukeAgent';
/** Well-known names of Windows, which it calls otherwise in every language */
const users = {
  /** LOCAL SERVICE */
  agent: '*S-1-5-19',
  system: '*S-1-5-18',
  administrators: '*S-1-5-32-544',
  everyUser: '*S-1-5-32-545',
};
/** For files and folders below, too */
const wholeFolder = '(OI)(CI)';
const [full, change, look] = ['F', 'M', 'RX'].map((right) => `${wholeFolder}${right}`);
const servicesKey = 'HKLM\\SYSTEM\\CurrentControlSet\\Services';
/** ERROR_SERVICE_ALREADY_RUNNING */
const alreadyRunning = 1056;
/** The agent closes in order within 10 s (keep-watch.ts) and is ended then. ms */
const [stopWithinMs, lookAgainMs] = [30_000, 250];
/** What the firewall lets in from the clinic's own networks: messages, enrolment, and terminals that look for the clinic */
export const firewallRules = [
  { name: 'Uketsuke broker', protocol: 'TCP', port: brokerPort },
  { name: 'Uketsuke enrolment', protocol: 'TCP', port: enrolmentPort },
  { name: 'Uketsuke search', protocol: 'UDP', port: enrolmentPort },
] as const;

const own = (): readonly string[] => [process.execPath, '--disable-warning=ExperimentalWarning', process.argv[1] ?? ''];

/** Whoever made a link there before us would have our keys written where he likes. */
const refuseLinks = async (directory: string): Promise<void> => {
  const isLink = (await lstat(directory)).isSymbolicLink();
  const inside = isLink ? [] : await readdir(directory, { recursive: true, withFileTypes: true });
  const link = isLink ? directory : inside.find((each) => each.isSymbolicLink());
  if (link !== undefined)
    throw new Error(
      `${typeof link === 'string' ? link : join(link.parentPath, link.name)}: a link, which nothing of ours makes: take it away and find out who put it there`,
    );
};

/** Runs a program of Windows; the second throws when it ends badly. */
const asking = (outcome: typeof outcomeOf) => ({
  succeeds: async (program: string, ...args: readonly string[]): Promise<boolean> => (await outcome(program, args)).ok,
  run: async (program: string, ...args: readonly string[]): Promise<void> => {
    const { ok, code, complaint } = await outcome(program, args);
    if (!ok) throw new Error(`${program} ${args.join(' ')}: ${code ?? ''} ${complaint}`);
  },
});
type Asking = ReturnType<typeof asking>;

const rightsOn = ({ facility, agent, oqs }: ClinicPlaces, { run }: Asking) => {
  /** From now on these alone; what the folder above grants counts no more. */
  const grantOnly = (place: string, rights: readonly string[]): Promise<void> =>
    run('icacls.exe', place, '/inheritance:r', '/grant:r', ...rights);
  const masters = [`${users.system}:${full}`, `${users.administrators}:${full}`];
  const closeToAgent = (file: string): Promise<void> =>
    grantOnly(file, [`${users.system}:F`, `${users.administrators}:F`]);
  const giveAgentItsOwn = (): Promise<void> => grantOnly(agent, [...masters, `${users.agent}:${change}`]);
  return {
    closePlaces: async (): Promise<void> => {
      // The folder above lets every user of the PC read, and make folders: this one may be somebody's.
      await makeFolder(facility);
      await refuseLinks(facility);
      await run('icacls.exe', facility, '/setowner', users.administrators, '/T', '/C', '/Q');
      // The agent runs the broker, whose files lie here.
      await grantOnly(facility, [...masters, `${users.agent}:${look}`]);
      await refuseLinks(facility);
      // What files have of their own gives way to what was granted above, but for these two.
      if ((await readdir(facility)).length === 0) return;
      await run('icacls.exe', join(facility, '*'), '/reset', '/T', '/C', '/Q');
      const passphrase = join(facility, passphraseName);
      if (await exists(passphrase)) await closeToAgent(passphrase);
      if (await exists(agent)) await giveAgentItsOwn();
    },
    closeToAgent,
    giveToAgent: async (): Promise<void> => {
      await giveAgentItsOwn();
      await grantOnly(oqs, [...masters, ...[users.agent, users.everyUser].map((user) => `${user}:${change}`)]);
    },
  };
};

const writeService = async (places: ClinicPlaces, { run, succeeds }: Asking): Promise<void> => {
  const words = [
    ...['windows-service', '--log-file', join(places.agent, 'agent.log'), service],
    ...['agent', '--dir', places.agent, '--embedded-broker', '--facility-dir', places.facility],
    ...['--broker-host', '0.0.0.0', '--broker-port', String(brokerPort)],
  ];
  const command = [...own(), ...words].map((word) => `"${word}"`).join(' ');
  const how = ['binPath=', command, 'start=', 'auto', 'obj=', 'NT AUTHORITY\\LocalService'];
  const value = ['/v', 'ImagePath', '/t', 'REG_EXPAND_SZ', '/d', command, '/f'];
  if (!(await succeeds('sc.exe', 'query', service)))
    await run('sc.exe', 'create', service, ...how, 'DisplayName=', 'Uketsuke agent');
  else if (!(await succeeds('sc.exe', 'config', service, ...how)))
    await run('reg.exe', 'add', `${servicesKey}\\${service}`, ...value);
  await run('sc.exe', 'failure', service, 'reset=', '86400', 'actions=', 'restart/1000/restart/5000/restart/60000');
};

const openFirewall = async ({ run, succeeds }: Asking): Promise<void> => {
  for (const { name, protocol, port } of firewallRules) {
    await succeeds('netsh.exe', 'advfirewall', 'firewall', 'delete', 'rule', `name=${name}`);
    const rule = [`name=${name}`, 'dir=in', 'action=allow', 'profile=private,domain', `protocol=${protocol}`];
    await run('netsh.exe', 'advfirewall', 'firewall', 'add', 'rule', ...rule, `localport=${port}`);
  }
};

/** `outcome`: of a program of Windows that is run. `pause`: so many ms, simulated in tests */
export const windowsClinic = (
  places: ClinicPlaces,
  outcome: typeof outcomeOf = outcomeOf,
  pause: (ms: number) => Promise<unknown> = wait,
): ClinicSystem => {
  const system = asking(outcome);
  const stopService = async (): Promise<void> => {
    // Refused where there is none, or where it does not run: what counts is how it stands.
    await system.succeeds('sc.exe', 'stop', service);
    const isStopped = async (): Promise<boolean> => {
      const { ok, code, output } = await outcome('sc.exe', ['query', service]);
      // Labels are translated, states are not.
      return (!ok && code !== null) || /:\s*\d+\s+STOPPED\b/.test(output);
    };
    for (let waitedMs = 0; !(await isStopped()); waitedMs += lookAgainMs) {
      if (waitedMs >= stopWithinMs)
        throw new Error(`the service ${service} does not stop: restart this PC, then run this command again`);
      await pause(lookAgainMs);
    }
  };
  const startService = async (): Promise<void> => {
    const { ok, code } = await outcome('sc.exe', ['start', service]);
    if (!ok && code !== alreadyRunning)
      throw new Error(`the service ${service} does not start (${code}): see agent.log in ${places.agent}`);
  };
  return {
    brokerProtocol: 4,
    check: async () => {
      try {
        // Nobody but an administrator puts anything there.
        await rmdir(await mkdtemp(join(process.env.ProgramFiles ?? 'C:\\Program Files', 'uketsuke-')));
      } catch {
        throw new Error('as an administrator');
      }
    },
    ...rightsOn(places, system),
    // The agent runs it: a clinic's PC has no other.
    makeBroker: async () => {},
    startServices: async (anew) => {
      await writeService(places, system);
      await openFirewall(system);
      if (anew) await stopService();
      await startService();
    },
    agentService: {
      isRunning: async () =>
        /:\s*\d+\s+(RUNNING|START_PENDING)\b/.test((await outcome('sc.exe', ['query', service])).output),
      stop: stopService,
      start: startService,
    },
    openEnrolment: async (passphraseFile, minutes) => {
      const words = ['provision', 'listen', '--ca-passphrase-file', passphraseFile, '--minutes', String(minutes)];
      const [node = '', ...main] = own();
      // It goes on when this command and its window have ended.
      spawn(node, [...main, ...words], { detached: true, stdio: 'ignore', windowsHide: true }).unref();
    },
    // The broker is the agent's own, which looks at the registry every half second.
    admitTerminal: async () => {},
  };
};
