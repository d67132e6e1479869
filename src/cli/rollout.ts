import { type Command, Option } from 'commander';
import { type RolloutKind, rolloutKinds } from '../wire/rollout-papers.ts';
import { type HealthSource, healthQuery, readHealth } from './rollout-health.ts';
import {
  goOnWithRollout,
  initOperator,
  lookAtRollouts,
  type OperatorPlace,
  type RolloutLook,
  signOrder,
  stopRollout,
} from './rollout-operator.ts';
import { readPlan } from './rollout-plan.ts';
import { explained, inWords, tell } from './say.ts';

const orExplain = explained('rollout');
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

type Places = { readonly dir: string; readonly to: string };
const placeOf = ({ dir, to }: Places): OperatorPlace => ({ directory: dir, folder: to, nowMs: () => Date.now() });

const directory = ['--dir <dir>', "the operator's own directory"] as const;
const keyFile = ['--key <file>', "the chain's key, on a stick"] as const;
const withPlaces = (command: Command): Command =>
  command.requiredOption(...directory).requiredOption('--to <dir>', 'the folder that facilities look into');
const ofKind = (): Option => new Option('--kind <kind>', 'of which order').choices(rolloutKinds).makeOptionMandatory();

/** Who is unwell and why, for a person */
const unwellOf = ({ facility, reason, what }: RolloutLook['unwell'][number]): string => {
  switch (reason) {
    case 'silent':
      return inWords('{facility}: nothing is heard of it (silent)', { facility });
    case 'alert':
      return inWords('{facility}: rings since it has this order: {what} (alert)', { facility, what });
    default:
      return inWords('{facility}: a terminal went back from {what} (fell-back)', { facility, what });
  }
};

/** Each step in a sentence: what it is, and who must act. */
const sentenceOf = ({ step, why, kind, number, wave, waves, unwell, waitsFor }: RolloutLook): string => {
  const values = { kind, number, wave, waves, facilities: waitsFor.join(', ') };
  switch (step) {
    case 'open':
      return inWords('order {number} ({kind}): wave {wave} of {waves} may begin', values);
    case 'finished':
      return inWords('order {number} ({kind}): all {waves} waves are through', values);
    case 'stop':
    case 'stopped': {
      const who = unwell.map(unwellOf).join(', ');
      const told = inWords(
        'order {number} ({kind}): stopped in wave {wave} of {waves}. Look at the facilities, then: uketsuke rollout go-on, or sign another order',
        values,
      );
      return who === '' ? told : `${told} (${who})`;
    }
    default:
      if (why === 'silent')
        return inWords(
          'order {number} ({kind}): the next wave waits, for nothing is heard of {facilities}: is its agent on, and is `facility` in its Prometheus its name?',
          values,
        );
      return waitsFor.length === 0
        ? inWords('order {number} ({kind}): wave {wave} of {waves} is well; only time is missing', values)
        : inWords('order {number} ({kind}): wave {wave} of {waves} waits for {facilities}', values);
  }
};

type LookOptions = Places & HealthSource & { readonly json?: true };
const look = async (options: LookOptions): Promise<void> => {
  const health = () => readHealth(options, () => Date.now());
  const looks = await lookAtRollouts(placeOf(options), health, (each) => {
    print(options.json ? JSON.stringify(each) : sentenceOf(each));
  });
  if (looks.some(({ step }) => step === 'stop' || step === 'stopped')) process.exitCode = 1;
};

const addSigning = (rollout: Command): void => {
  rollout
    .command('init')
    .description("makes the chain's key, the watch's key, and the file that each agent is given; what is there stays")
    .requiredOption('--chain <name>', 'what the chain is called')
    .requiredOption(...directory)
    .requiredOption(...keyFile)
    .action(
      orExplain(async ({ chain, dir, key }: { chain: string; dir: string; key: string }) => {
        print(await initOperator(dir, chain, key));
      }),
    );
  rollout
    .command('plan <file>')
    .description('whether an order can be signed, and who is in which wave')
    .action(
      orExplain(async (file: string) => {
        const { waves } = await readPlan(file);
        for (const [index, wave] of waves.entries())
          print(inWords('wave {wave}: {count} facilities', { wave: index + 1, count: wave.length }));
      }),
    );
  withPlaces(rollout.command('sign <plan>'))
    .description('signs the order and publishes it, for nobody yet: the first look opens the first wave')
    .requiredOption(...keyFile)
    .action(
      orExplain(async (plan: string, options: Places & { readonly key: string }) => {
        const planned = await readPlan(plan);
        const { kind } = planned;
        const number = await signOrder(placeOf(options), planned, options.key);
        print(
          inWords('order {number} ({kind}) is signed, for nobody yet: take the key away; the next look begins', {
            number,
            kind,
          }),
        );
      }),
    );
};

/** `uketsuke rollout`: releases and settings over the facilities of a chain, in signed waves (docs/updating.md). */
export const register = (program: Command): void => {
  const rollout = program
    .command('rollout')
    .description('releases and settings for a chain of facilities, in signed waves');
  addSigning(rollout);
  withPlaces(rollout.command('look'))
    .description('opens the next wave, waits, or stops, by what the facilities tell; exit code 1: stopped')
    .option('--prometheus <url>', "the chain's Prometheus")
    .option('--answer <file>', 'a file of its answer to `uketsuke rollout question`, instead')
    .option('--json', 'as JSON, one line an order')
    .action(orExplain(look));
  rollout
    .command('question')
    .description("what the chain's Prometheus is asked")
    .action(() => {
      print(healthQuery);
    });
  type KindOptions = Places & { readonly kind: RolloutKind };
  withPlaces(rollout.command('stop'))
    .description("stops an order by hand; it takes the watch's key alone")
    .addOption(ofKind())
    .action(
      orExplain(async (options: KindOptions) => {
        print(sentenceOf(await stopRollout(placeOf(options), options.kind)));
      }),
    );
  withPlaces(rollout.command('go-on'))
    .description("lifts a stop; it takes the chain's key")
    .addOption(ofKind())
    .requiredOption(...keyFile)
    .action(
      orExplain(async (options: KindOptions & { readonly key: string }) => {
        const excused = await goOnWithRollout(placeOf(options), options.kind, options.key);
        print(inWords('{kind}: goes on; the next look says how it stands', { kind: options.kind }));
        if (excused.length > 0) tell('let pass as they are: {facilities}', { facilities: excused.join(', ') });
      }),
    );
};
