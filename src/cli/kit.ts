import { type Command, Option } from 'commander';
import type { AdapterOptions } from './kit-adapter.ts';
import type { BusOptions } from './kit-bus.ts';
import type { CardOptions } from './kit-card.ts';
import type { OqsOptions } from './kit-oqs.ts';
import { explained } from './say.ts';
import { between } from './typed-values.ts';

/* For those who build on this: what judges their own programs. Each part is loaded when it is asked for. */

const whole = between(1, 100_000);

/** What speaks with the official software, and what speaks on the bus */
const addEnds = (kit: Command): void => {
  kit
    .command('adapter')
    .description(
      'judges an adapter of the official software in its own process: one line of JSON a call, one an answer',
    )
    .argument('<program...>', 'the adapter as it is started')
    .requiredOption('--people <file>', 'test people of the adapter (JSON); docs/examples/adapter-people.json is one')
    .option('--record <file>', 'what was said, as fixtures with the persons replaced')
    .action(
      explained('kit adapter')(async (program: readonly string[], options: AdapterOptions) => {
        const { judgeAdapter } = await import('./kit-adapter.ts');
        // Questions to a program that has gone still wait for their time.
        process.exit(await judgeAdapter(program, options));
      }),
    );
  kit
    .command('bus')
    .description('judges a foreign terminal or agent by what it says on the bus: signatures, order, expiry, replays')
    .requiredOption(
      '--facility-dir <folder>',
      'a facility as `uketsuke provision` made it; a new folder: a test facility is made in it',
    )
    .option('--agent <id>', 'whose keys open what terminals seal', 'agent-1')
    .addOption(
      new Option('--port <port>', 'the broker that it runs; 0 = any free one')
        .argParser(between(0, 65_535))
        .default(8883),
    )
    .addOption(new Option('--seconds <s>', 'so long is listened').argParser(whole).default(600))
    .option('--device <id>', 'a terminal whose keys lie there, so that what is sealed to it is read, too')
    .option('--probe <device>', 'sends this terminal commands that are late, repeated and forged')
    .action(
      explained('kit bus')(async (options: BusOptions) => {
        const { judgeBus } = await import('./kit-bus.ts');
        process.exitCode = await judgeBus(options);
      }),
    );
};

export const register = (program: Command): void => {
  const kit = program
    .command('kit')
    .description('judges programs that others build on this: レセコン, card clients, adapters, terminals, agents');
  kit
    .command('oqs')
    .description(
      "plays a clinic's day into a shared folder and judges what the レセコン writes back; the report is in Japanese",
    )
    .option('--dir <folder>', 'the folder shared with the レセコン; face, req and res are made below it')
    .addOption(new Option('--step-seconds <s>', 'time between two steps of the day').argParser(whole).default(20))
    .option('--json', 'the last line is one JSON object')
    .option('--list', 'the people whom the レセコン may ask for')
    .action(
      explained('kit oqs')(async (options: OqsOptions) => {
        const { playOqsDay } = await import('./kit-oqs.ts');
        process.exitCode = await playOqsDay(options);
      }),
    );
  kit
    .command('card')
    .description(
      'a virtual My Number card for any PC/SC program, which is judged by what it says to it; needs root and vpcd',
    )
    .argument('[program...]', 'a program to judge: run beside the card, which ends with it')
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
    .action(
      explained('kit card')(async (program: readonly string[], options: CardOptions) => {
        const { playKitCard } = await import('./kit-card.ts');
        process.exitCode = await playKitCard(program, options);
      }),
    );
  addEnds(kit);
};
