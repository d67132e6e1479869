import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';

/* For those who build on this: what judges their own programs. Each part is loaded when it is asked for. */

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000) throw new InvalidArgumentError('1 to 100000');
  return value;
};

type OqsOptions = { readonly dir: string; readonly stepSeconds: number; readonly json?: true };
type CardOptions = {
  readonly persona: string;
  readonly faults?: string;
  readonly trace?: string;
  readonly vpcd?: string;
  readonly kbps: string;
  readonly list?: true;
};

export const register = (program: Command): void => {
  const kit = program.command('kit').description('judges programs that others build on this: レセコン, card clients');
  kit
    .command('oqs')
    .description(
      "plays a clinic's day into a shared folder and judges what the レセコン writes back; the report is in Japanese",
    )
    .requiredOption('--dir <folder>', 'the folder shared with the レセコン; face, req and res are made below it')
    .addOption(new Option('--step-seconds <s>', 'time between two steps of the day').argParser(whole).default(20))
    .option('--json', 'the last line is one JSON object')
    .action(async (options: OqsOptions) => {
      const { playOqsDay } = await import('./kit-oqs.ts');
      process.exitCode = await playOqsDay(options);
    });
  kit
    .command('card')
    .description(
      'a virtual My Number card for any PC/SC program, which is judged by what it says to it; needs root and vpcd',
    )
    .addOption(
      new Option('--persona <id>', 'whose card: a name of --list, or a persona file of your own (.json)').default(
        'hanako',
      ),
    )
    .addOption(
      new Option('--kbps <rate>', 'bit rate on the wire, 0 = no time')
        .choices(['0', '106', '212', '424', '848'])
        .default('0'),
    )
    .option('--faults <file>', 'JSON list of faults: [{"at": 12, "do": "pull", "backAfterMs": 2000}]')
    .option('--trace <file>', 'what was said, without a trace of a person')
    .option(
      '--vpcd <host:port>',
      'a vpcd that runs already; without it pcscd and vpcd are started in a network namespace of their own',
    )
    .option('--list', 'the personas there are')
    .action(async (options: CardOptions) => {
      const { playKitCard } = await import('./kit-card.ts');
      process.exitCode = await playKitCard(options);
    });
};
