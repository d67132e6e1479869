import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { writeMosquittoFiles } from '../agent/provisioning/broker-configuration.ts';
import { refuse } from './say.ts';

const portNumber = (text: string): number => {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError('a TCP port');
  return port;
};

type BrokerOptions = {
  readonly facilityDir: string;
  readonly out: string;
  readonly address: string;
  readonly port: number;
};

/** `uketsuke broker`: what mosquitto reads. `agent device add | revoke` write them again; mosquitto reads them at SIGHUP. */
export const register = (program: Command): void => {
  program
    .command('broker')
    .description("writes mosquitto's configuration, TLS files and access rules for a facility; prints its path")
    .requiredOption('--facility-dir <dir>', 'directory of `uketsuke provision`')
    .requiredOption('--out <dir>', 'where mosquitto reads them, e.g. /etc/mosquitto/uketsuke')
    .option('--address <address>', 'address to listen on', '0.0.0.0')
    .option('--port <port>', 'TLS port', portNumber, 8883)
    .action(async ({ facilityDir, out, address, port }: BrokerOptions) => {
      try {
        const place = { address, port, directory: resolve(out) };
        process.stdout.write(`${await writeMosquittoFiles(facilityDir, place)}\n`);
      } catch (error) {
        refuse('broker', error);
      }
    });
};
