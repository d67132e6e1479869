import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { writeMosquittoFiles, writeRabbitmqFiles } from '../agent/provisioning/broker-configuration.ts';
import { refuse } from './say.ts';
import { portNumber } from './typed-values.ts';

type BrokerOptions = {
  readonly kind: 'mosquitto' | 'rabbitmq';
  readonly node: readonly string[];
  readonly facilityDir: string;
  readonly out: string;
  readonly address: string;
  readonly port: number;
};

/** Two know of nothing which of them is cut off. */
const rabbitNodes = (nodes: readonly string[]): string[] => {
  if (nodes.length === 0 || nodes.length === 2) throw new Error('--node: one, or three and more');
  return [...nodes];
};
const collect = (node: string, before: readonly string[]): readonly string[] => [...before, node];

/** `uketsuke broker`: what mosquitto or RabbitMQ reads. `agent device add | revoke` write them again; mosquitto reads them at SIGHUP. */
export const register = (program: Command): void => {
  program
    .command('broker')
    .description(
      "writes mosquitto's or RabbitMQ's configuration, TLS files and access rules for a facility; prints its path",
    )
    .addOption(new Option('--kind <kind>', 'whose').choices(['mosquitto', 'rabbitmq']).default('mosquitto'))
    .requiredOption('--facility-dir <dir>', 'directory of `uketsuke provision`')
    .requiredOption(
      '--out <dir>',
      'where the broker reads them, e.g. /etc/mosquitto/uketsuke or /etc/rabbitmq/uketsuke',
    )
    .option('--address <address>', 'address to listen on', '0.0.0.0')
    .option('--port <port>', 'TLS port', portNumber, 8883)
    .option('--node <name>', "of RabbitMQ's cluster, e.g. rabbit@node-1; once for each", collect, [])
    .action(async ({ kind, facilityDir, out, address, port, node }: BrokerOptions) => {
      try {
        const place = { address, port, directory: resolve(out) };
        const written =
          kind === 'rabbitmq'
            ? await writeRabbitmqFiles(facilityDir, { ...place, kind, nodes: rabbitNodes(node) })
            : await writeMosquittoFiles(facilityDir, place);
        process.stdout.write(`${written}\n`);
      } catch (error) {
        refuse('broker', error);
      }
    });
};
