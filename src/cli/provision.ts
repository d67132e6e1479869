import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { writeMosquittoFiles } from '../clinic/broker-configuration.ts';
import { cardTrustFiles } from '../clinic/card-trust.ts';
import { addAgent, addDevice, agentDirectory, createFacility, deviceDirectory } from '../clinic/facility-authority.ts';
import { firstFacilitySettings } from '../protocol/facility-settings.ts';

type FacilityOptions = {
  readonly dir: string;
  readonly facility: string;
  readonly name: string;
  readonly institutionCode: string;
  readonly brokerName: string[];
  readonly agent: string;
  readonly terminals: string;
  readonly cardTrust?: string;
};

/** Facility, one agent, its settings file and the terminals, each in its directory to hand over. */
const provision = async (options: FacilityOptions): Promise<void> => {
  await createFacility(options.dir, { facility: options.facility, brokerNames: options.brokerName });
  const agent = await addAgent(options.dir, options.agent);
  const settings = firstFacilitySettings(options.name, options.institutionCode);
  await writeFile(join(agent, 'facility-settings.yaml'), stringify(settings), { mode: 0o600 });
  if (options.cardTrust !== undefined) {
    await mkdir(join(agent, 'card-trust'), { recursive: true, mode: 0o700 });
    for (const name of Object.values(cardTrustFiles))
      await copyFile(join(options.cardTrust, name), join(agent, 'card-trust', name));
  }
  const terminals = Array.from({ length: Number(options.terminals) }, (_, index) => index + 1);
  for (const lane of terminals) await addDevice(options.dir, terminalId(lane), lane);
  process.stdout.write(
    `${JSON.stringify({
      agent: agentDirectory(options.dir, options.agent),
      devices: terminals.map((lane) => deviceDirectory(options.dir, terminalId(lane))),
    })}\n`,
  );
};

const terminalId = (lane: number): string => `terminal-${String(lane).padStart(2, '0')}`;

/** Mistakes of whoever runs the command are one line, not a stack. */
const orExplain =
  <A extends unknown[]>(work: (...args: A) => Promise<void>) =>
  async (...args: A): Promise<void> => {
    try {
      await work(...args);
    } catch (error) {
      process.stderr.write(`uketsuke provision: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(2);
    }
  };

const required = ['dir', 'facility', 'name', 'institutionCode'] as const;

type BrokerOptions = {
  readonly dir: string;
  readonly out: string;
  readonly address: string;
  readonly port: string;
  readonly state: string;
};

const provisionBroker = async ({ dir, out, address, port, state }: BrokerOptions): Promise<void> => {
  const place = { address, port: Number(port), directory: out, state };
  process.stdout.write(`${await writeMosquittoFiles(dir, place)}\n`);
};

/** `uketsuke provision`: keys are made here and handed over as files; `facility-ca-key.pem` stays where it was made. */
export const register = (program: Command): void => {
  const command = program
    .command('provision')
    .description("makes a facility's CA, keys, an agent and its terminals; prints the directories to hand over")
    .enablePositionalOptions()
    .option('--dir <dir>', 'new directory of the facility')
    .option('--facility <id>', 'id of the facility, as in its topics')
    .option('--name <text>', 'name of the facility as patients know it')
    .option('--institution-code <code>', '医療機関等コード, 10 digits')
    .option('--broker-name <name...>', 'names and addresses of the broker', ['localhost', '127.0.0.1'])
    .option('--agent <id>', 'id of the agent', 'agent-1')
    .option('--terminals <number>', 'how many terminals: terminal-01 and so on', '1')
    .option('--card-trust <dir>', 'trust anchors of cards to copy to the agent')
    .action(
      orExplain(async (options: Partial<FacilityOptions>) => {
        const missing = required.filter((name) => options[name] === undefined);
        if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
        await provision(options as FacilityOptions);
      }),
    );
  command
    .command('broker')
    .description("mosquitto's configuration, access list and TLS files; again after each change of the registry")
    .requiredOption('--dir <dir>', 'directory of the facility')
    .requiredOption('--out <dir>', 'where mosquitto reads them')
    .option('--address <address>', 'address to listen on', '0.0.0.0')
    .option('--port <port>', 'port to listen on', '8883')
    .option('--state <dir>', 'where mosquitto keeps its retained messages', '/var/lib/mosquitto')
    .action(orExplain(provisionBroker));
};
