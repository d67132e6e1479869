import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CardTiming } from '../../drivers/virtual/card-timing.ts';
import { readGiven } from '../storage/read-given.ts';
import { reasonOf } from './say.ts';
import { hostAndPort } from './typed-values.ts';

type Options = {
  readonly persona?: string;
  readonly vpcd: { readonly host: string; readonly port: number };
  readonly kbps: string;
  readonly signatureMs: number;
  readonly commandMs: number;
  readonly faults?: string;
  readonly cache: string;
  readonly list?: true;
};

const cacheFolder = fileURLToPath(new URL('../../.cache', import.meta.url));

const milliseconds = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 60_000) throw new InvalidArgumentError('0 to 60000 ms');
  return value;
};
export const register = (program: Command): void => {
  program
    .command('virtual-card')
    .description(
      'a virtual My Number card in a real pcscd, by way of vpcd (run both in a network namespace of their own)',
    )
    .addOption(new Option('--persona <id>', 'whose card: a name of --list, or a persona file of your own (.json)'))
    .addOption(
      new Option('--vpcd <host:port>', 'where vpcd listens')
        .argParser(hostAndPort)
        .default({ host: '127.0.0.1', port: 35963 }, '127.0.0.1:35963'),
    )
    .addOption(
      new Option('--kbps <rate>', 'bit rate on the wire, 0 = no time')
        .choices(['0', '106', '212', '424', '848'])
        .default('0'),
    )
    .addOption(
      new Option('--signature-ms <ms>', 'time of one signature on the chip').argParser(milliseconds).default(0),
    )
    .addOption(new Option('--command-ms <ms>', 'time of any command on the chip').argParser(milliseconds).default(0))
    .addOption(new Option('--faults <file>', 'JSON list of faults: [{"at": 12, "do": "pull", "backAfterMs": 2000}]'))
    .addOption(new Option('--cache <folder>', 'where test authority and keys are kept').default(cacheFolder))
    .option('--list', 'the personas there are')
    .action(async (options: Options, command: Command) => {
      const { listPersonas, playCard } = await import('../../drivers/virtual/play-card.ts');
      const { parseCardFaults } = await import('../../drivers/virtual/card-faults.ts');
      if (options.list === true) return listPersonas();
      if (options.persona === undefined) command.error('--persona is missing; --list names them');
      const { persona, vpcd, cache, signatureMs, commandMs } = options;
      const timing: CardTiming = { kbps: Number(options.kbps) as CardTiming['kbps'], signatureMs, commandMs };
      try {
        const faults = options.faults === undefined ? [] : parseCardFaults(readGiven(options.faults).toString('utf8'));
        await playCard({ persona, vpcd, timing, faults, cache });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        command.error(code === 'ECONNREFUSED' ? 'nobody listens there: is pcscd with vpcd running?' : reasonOf(error));
      }
    });
};
