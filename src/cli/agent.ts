import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { answerWatch, keepWatch, sayBusy } from '../../drivers/host/keep-watch.ts';
import { createSystemdNotifier, type ServiceNotifier } from '../../drivers/host/systemd-notifier.ts';
import { renewBrokerFiles } from '../agent/provisioning/broker-configuration.ts';
import {
  addDevice,
  listDevices,
  renewIssuers,
  revokeDevice,
  rollFacilityKey,
} from '../agent/provisioning/facility-authority.ts';
import { newOneTimeSecret, oneTimeAddress } from '../agent/staff-page/one-time-code.ts';
import { addStaffMember, readStaff, removeStaffMember } from '../agent/staff-page/staff-codes.ts';
import { createEventLog, describeError } from '../log/event-log.ts';
import { type RunningAgent, startAgent } from '../processes/agent.ts';
import type { AgentConfigInput } from '../processes/agent-config.ts';
import { configOfAgentIn } from '../processes/agent-directory.ts';
import { openJournal } from '../processes/open-journal.ts';
import { readGiven } from '../storage/read-given.ts';
import { addAuditCommands } from './agent-audit.ts';
import { addJournalCommands } from './agent-journal.ts';
import {
  type AuthorityKeyOptions,
  addAuthorityKeyCommands,
  authorityKeyAccess,
  withAuthorityKey,
} from './authority-key.ts';
import { endProcess } from './end-process.ts';
import { explained, inWords, japaneseOf, tell } from './say.ts';
import { between, hostAndPort, logOption, portOrAny, wholeNumber } from './typed-values.ts';

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

const orExplain = explained('agent');

type RunOptions = {
  readonly dir: string;
  readonly broker?: { host: string; port: number };
  readonly brokerName?: string;
  readonly mqtt?: '4' | '5';
  readonly embeddedBroker?: true;
  readonly brokerHost: string;
  readonly brokerPort?: number;
  readonly facilityDir?: string;
  readonly settings?: string;
  readonly cardTrust?: string;
  readonly oqsDir?: string;
  readonly staffPort?: number;
  readonly serviceDelayMs?: number;
  readonly makeFolders?: true;
  readonly watched?: true;
  readonly log: 'json' | 'pretty' | 'silent';
};

const configOf = (options: RunOptions): AgentConfigInput => ({
  broker: {
    ...options.broker,
    ...(options.brokerName !== undefined && { serverName: options.brokerName }),
    ...(options.mqtt !== undefined && { protocolVersion: options.mqtt === '4' ? 4 : 5 }),
  },
  service: options.serviceDelayMs === undefined ? {} : { answerDelayMs: options.serviceDelayMs },
  ...(options.settings !== undefined && { settingsFile: options.settings }),
  ...(options.cardTrust !== undefined && { cardTrust: options.cardTrust }),
  ...(options.oqsDir !== undefined && { oqsFolder: options.oqsDir }),
  ...(options.staffPort !== undefined && { staffPort: options.staffPort }),
});

/**
 * From its first call on the process gives signs of life and ends in order when it is told to; each call tells the service
 * manager that it is up, and as what.
 */
const beWatched = (notifier: ServiceNotifier, work: () => void, stop: () => void): ((status: string) => void) => {
  let isWatched = false;
  return (status) => {
    if (!isWatched) {
      isWatched = true;
      process.on('SIGTERM', stop);
      process.on('SIGINT', stop);
      answerWatch(work, stop);
      if (notifier.aliveEveryMs !== null) setInterval(() => notifier.alive(), notifier.aliveEveryMs).unref();
    }
    notifier.ready(status);
  };
};

/** What a start may take by its unit (TimeoutStartSec) and by keep-watch.ts is twice as long. ms */
const shortMs = 30_000;

const run = async (options: RunOptions): Promise<void> => {
  if (options.embeddedBroker && options.facilityDir === undefined)
    throw new Error("--embedded-broker needs --facility-dir: the broker's keys are there");
  const log = createEventLog({ format: options.log });
  if (options.watched)
    return void keepWatch(
      process.argv.slice(1).filter((word) => word !== '--watched'),
      log,
    );
  // An error that nobody expected ends the process, and the service manager begins a new one; the journal knows what is
  // left. Node would print its message, which may quote what was being worked on.
  process.on('uncaughtException', (error) => {
    log.event('process.error', describeError(error));
    endProcess(70);
  });
  const startedMs = performance.now();
  let agent: RunningAgent | null = null;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    log.event('process.stopping', { reason: 'signal' });
    (agent?.close() ?? Promise.resolve()).then(
      () => endProcess(0),
      () => endProcess(1),
    );
  };
  const notifier = createSystemdNotifier();
  const watched = beWatched(notifier, () => void agent?.journal.visit(''), stop);
  agent = await startAgent({
    directory: options.dir,
    config: configOf(options),
    ...(options.embeddedBroker &&
      options.facilityDir !== undefined && {
        embeddedBroker: {
          facilityDirectory: options.facilityDir,
          host: options.brokerHost,
          port: options.brokerPort ?? 8883,
        },
      }),
    ...(options.makeFolders && { makeFolders: true }),
    // The service manager begins a new one, as after an error that nobody expected.
    endNow: () => endProcess(70),
    // Its page serves: ended for being late, it would tell nobody what is wrong.
    waiting: watched,
    opening: (ms) => {
      // As long as any start may take, nothing need be said.
      if (ms < shortMs) return;
      notifier.starting(shortMs + ms);
      sayBusy(ms);
    },
    inJapanese: japaneseOf,
    log,
  });
  watched(agent.ready.agent);
  log.event('process.ready', { ms: Math.round(performance.now() - startedMs) });
  print(JSON.stringify(agent.ready));
};

/** What a change of the registry takes besides: done where this machine can, told where somebody else must. */
const tellWhatFollows = async (facilityDir: string): Promise<void> => {
  tell('agents that read {folder} know at once; an agent elsewhere needs its devices.json from there', {
    folder: `${facilityDir}/agents`,
  });
  try {
    const written = await renewBrokerFiles(facilityDir);
    if (written === null) tell('no files of a broker are known here: `uketsuke broker` writes them');
    else if (written.kind === 'rabbitmq')
      tell(
        'written for RabbitMQ: {folder}; copy it to every node, then `rabbitmqctl import_definitions {folder}/definitions.json` at one of them, and `rabbitmqctl delete_user NAME` for who was revoked',
        { folder: dirname(written.path) },
      );
    else
      tell(
        'written for mosquitto: {folder}; uketsuke-broker reads it by itself, a mosquitto of your own at its next `systemctl reload mosquitto`',
        { folder: dirname(written.path) },
      );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the registry is changed, but not the broker's files (${reason}): run \`uketsuke broker\` as root`);
  }
};

const facilityDirOption = ['--facility-dir <dir>', 'directory of `uketsuke provision`'] as const;

const addIssuerCommands = (agent: Command): void => {
  const issuer = agent.command('issuer').description('what agents renew certificates with, below the facility CA');
  withAuthorityKey(issuer.command('renew'))
    .description(
      'gives each agent one, or another term for the one it has; the CA key is needed for it and for nothing else afterwards',
    )
    .requiredOption(...facilityDirOption)
    .action(
      orExplain(async (options: AuthorityKeyOptions & { facilityDir: string }) => {
        const isNew = await renewIssuers(options.facilityDir, await authorityKeyAccess(options));
        if (isNew) print('facility-ca.pem is new: restart agents; the broker needs its files again');
        await tellWhatFollows(options.facilityDir);
      }),
    );
};

const addRegistryCommands = (agent: Command): void => {
  const device = agent.command('device').description('the terminals of this facility');
  withAuthorityKey(device.command('add <device>'))
    .description('makes keys and certificate of a terminal, prints the directory to hand over')
    .requiredOption(...facilityDirOption)
    .requiredOption('--lane <number>', 'the counter it stands at', between(1, 99))
    .action(
      orExplain(async (id: string, options: AuthorityKeyOptions & { facilityDir: string; lane: number }) => {
        print(await addDevice(options.facilityDir, id, options.lane, await authorityKeyAccess(options)));
        await tellWhatFollows(options.facilityDir);
      }),
    );
  withAuthorityKey(device.command('revoke <device>'))
    .description('refused by agents and broker from the next message on')
    .requiredOption(...facilityDirOption)
    .action(
      orExplain(async (id: string, options: AuthorityKeyOptions & { facilityDir: string }) => {
        await revokeDevice(options.facilityDir, id, await authorityKeyAccess(options));
        await tellWhatFollows(options.facilityDir);
      }),
    );
  device
    .command('list')
    .requiredOption(...facilityDirOption)
    .option('--json', 'as JSON')
    .action(
      orExplain(async (options: { facilityDir: string; json?: true }) => {
        const devices = await listDevices(options.facilityDir);
        if (options.json) print(JSON.stringify(devices));
        else
          for (const { device: id, lane, addedAt, revokedAt } of devices)
            print(
              `${lane}\t${id}\t${new Date(addedAt).toISOString()}\t${revokedAt === undefined ? inWords('in use') : inWords('revoked')}`,
            );
      }),
    );
  agent
    .command('roll-key')
    .description('first call announces the next facility key, the second makes it the current one')
    .requiredOption(...facilityDirOption)
    .action(
      orExplain(async (options: { facilityDir: string }) => void print(await rollFacilityKey(options.facilityDir))),
    );
};

/** One line of standard input: a staffCode stands neither in the shell's history nor in the process list. */
const readLine = async (): Promise<string> => {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0]?.trim() ?? '';
};

const addStaffCommands = (agent: Command): void => {
  const staff = agent.command('staff').description('who may approve 目視確認 on the staff page');
  const staffFile = async (directory: string): Promise<string> => (await configOfAgentIn(directory)).staffFile;
  const dirOption = ['--dir <dir>', "the agent's directory"] as const;
  staff
    .command('add <approver>')
    .description('reads the staffCode (職員コード) from standard input; keeps its hash')
    .requiredOption(...dirOption)
    .requiredOption('--label <text>', 'as the staff page shows it')
    .option('--second-factor', 'prints the QR code for this person’s authenticator app, once')
    .action(
      orExplain(async (approver: string, options: { dir: string; label: string; secondFactor?: true }) => {
        const { staffFile: file, staffCodes } = await configOfAgentIn(options.dir);
        const oneTimeSecret = options.secondFactor || staffCodes.secondFactor ? newOneTimeSecret() : undefined;
        const member = { approver, label: options.label, ...(oneTimeSecret !== undefined && { oneTimeSecret }) };
        await addStaffMember(file, member, await readLine(), staffCodes.minimumLength);
        process.stdin.destroy();
        if (oneTimeSecret === undefined) return;
        const address = oneTimeAddress(oneTimeSecret, approver);
        print(`${renderUnicodeCompact(address)}\n${address}`);
      }),
    );
  staff
    .command('remove <approver>')
    .requiredOption(...dirOption)
    .action(
      orExplain(async (approver: string, options: { dir: string }) =>
        removeStaffMember(await staffFile(options.dir), approver),
      ),
    );
  staff
    .command('list')
    .requiredOption(...dirOption)
    .action(
      orExplain(async (options: { dir: string }) => {
        for (const { approver, label } of await readStaff(await staffFile(options.dir))) print(`${approver}\t${label}`);
      }),
    );
};

const officialFigures = /^(20\d{2})-?(0[1-9]|1[0-2]),(\d{1,7}),(\d{1,7})$/;

const addUsageCommands = (agent: Command): void => {
  agent
    .command('usage')
    .description('monthly figures')
    .command('import <file>')
    .description('official figures, lines of `2026-10,card uses,confirmations`; a heading is skipped')
    .requiredOption('--dir <dir>', "the agent's directory")
    .action(
      orExplain(async (file: string, options: { dir: string }) => {
        const lines = readGiven(file)
          .toString('utf8')
          .replace(/^\ufeff/, '')
          .split(/\r?\n/)
          .filter((line) => line.trim() !== '');
        const figures = lines.flatMap((line, index) => {
          const [, year, month, cardUses, confirmations] = officialFigures.exec(line.replaceAll(/[\s"]/g, '')) ?? [];
          if (year !== undefined && Number(cardUses) <= Number(confirmations))
            return [{ month: `${year}${month}`, cardUses: Number(cardUses), confirmations: Number(confirmations) }];
          if (index === 0) return [];
          throw new Error(`${file}, line ${index + 1}: month, card uses and confirmations expected`);
        });
        const journal = await openJournal(options.dir);
        for (const one of figures) journal.setOfficialUsage(one, Date.now());
        journal.close();
        print(`${figures.length} months`);
      }),
    );
};

const addClockCommands = (agent: Command): void => {
  agent
    .command('clock')
    .description("this machine's clock")
    .command('confirm')
    .description('the clock is right now, whatever was seen before; while the agent is stopped')
    .requiredOption('--dir <dir>', "the agent's directory")
    .action(
      orExplain(async (options: { dir: string }) => {
        const journal = await openJournal(options.dir);
        const wallMs = Date.now();
        journal.see({ wallMs, confirmed: true });
        journal.close();
        print(new Date(wallMs).toISOString());
      }),
    );
};

/** `uketsuke agent --dir <dir>`: runs until SIGTERM; prints one JSON line once it listens. */
export const register = (program: Command): void => {
  const agent = program
    .command('agent')
    .description("the clinic's end on the 資格確認端末: verifies requests, journals, answers, writes files, staff page")
    .enablePositionalOptions()
    .option('--dir <dir>', "the agent's directory, as `uketsuke provision` made it")
    .option('--broker <host:port>', 'the broker (default: agent.yaml)', hostAndPort)
    .option('--broker-name <name>', "name in the broker's certificate, where it is another")
    .addOption(new Option('--mqtt <version>', 'default 5').choices(['4', '5']))
    .option('--embedded-broker', 'run a broker in this process, for a clinic without one')
    .option('--broker-host <address>', 'address on which the embedded broker listens', '127.0.0.1')
    .option('--broker-port <port>', 'its port (default 8883; 0 = any)', portOrAny)
    .option(facilityDirOption[0], `${facilityDirOption[1]} (for --embedded-broker)`)
    .option('--settings <file>', 'facility settings, YAML; watched')
    .option('--card-trust <dir>', 'trust anchors of cards')
    .option('--oqs-dir <dir>', 'folder shared with the レセコン: face, req, res')
    .option('--make-folders', 'make face, req and res when they are missing')
    .option('--staff-port <port>', 'loopback port of the staff page (0 = any)', portOrAny)
    .option('--service-delay-ms <ms>', 'how long the simulated national service takes', wholeNumber)
    .option(
      '--watched',
      'run under a watcher of our own, which restarts it when it ends or hangs (where no systemd does)',
    )
    .addOption(logOption('json, pretty or silent, on standard error', ['json', 'pretty', 'silent'], 'json'))
    .action(
      orExplain(async (options: Partial<RunOptions>) => {
        if (options.dir === undefined) throw new Error('--dir is missing');
        await run(options as RunOptions);
      }),
    );
  addRegistryCommands(agent);
  addAuthorityKeyCommands(agent, orExplain);
  addIssuerCommands(agent);
  addStaffCommands(agent);
  addUsageCommands(agent);
  addAuditCommands(agent, orExplain);
  addJournalCommands(agent, orExplain);
  addClockCommands(agent);
};
