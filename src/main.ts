#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { inWords, isOfPeople, refuse, schemasInWords } from './cli/say.ts';
import { tellsMistakes } from './cli/usage.ts';

type CommandFile = { readonly register: (program: Command) => void };

/** The commands and their files. A command's file is loaded only when it is the one that was asked for. */
export const commands: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<CommandFile> }>> =
  {
    run: { about: 'the terminal at the counter, until SIGTERM', load: () => import('./cli/run.ts') },
    link: {
      about: "the terminal's outbox and its connection to the broker, until SIGTERM",
      load: () => import('./cli/link.ts'),
    },
    bench: {
      about: 'figures of the parts of a terminal, for the bring-up sheet',
      load: () => import('./cli/bench.ts'),
    },
    adopt: {
      about: 'brings keys and store of an earlier release to where this one looks for them',
      load: () => import('./cli/adopt.ts'),
    },
    face: {
      about: 'the camera and the comparison of faces, until SIGTERM',
      load: () => import('./cli/face.ts'),
    },
    update: {
      about: 'releases of a terminal with two slots: what is installed, what waits, why',
      load: () => import('./cli/update.ts'),
    },
    doctor: {
      about: 'what is wrong with this terminal, why, what helps, and who does it',
      load: () => import('./cli/doctor.ts'),
    },
    'support-bundle': {
      about: 'what a maker needs to see of this machine, in one file without a trace of a person',
      load: () => import('./cli/support-bundle.ts'),
    },
    metrics: {
      about: "the terminal's figures as Prometheus reads them; exit code 1 when it does not run",
      load: () => import('./cli/metrics.ts'),
    },
    agent: {
      about: "the clinic's end on the 資格確認端末, its device registry, staff codes and keys",
      load: () => import('./cli/agent.ts'),
    },
    'windows-service': {
      about: 'a command as a service of Windows; `provision clinic` makes it',
      load: () => import('./cli/windows-service.ts'),
    },
    rollout: {
      about: 'releases and settings for a chain of facilities, in signed waves',
      load: () => import('./cli/rollout.ts'),
    },
    broker: { about: "mosquitto's files for a facility", load: () => import('./cli/broker.ts') },
    provision: { about: 'makes the keys and files of a facility', load: () => import('./cli/provision.ts') },
    config: { about: "the terminal's configuration file: check, show, example", load: () => import('./cli/config.ts') },
    erase: {
      about: 'leaves nothing of patients or keys on a device that is given away',
      load: () => import('./cli/erase.ts'),
    },
    models: {
      about: 'face models: add one of your own, measure it, their cards',
      load: () => import('./cli/models.ts'),
    },
    attest: {
      about: 'what runs here, signed by the device; checks such a word',
      load: () => import('./cli/attest.ts'),
    },
    preview: {
      about: 'every screen of a facility settings file, in the browser',
      load: () => import('./cli/preview.ts'),
    },
    trace: { about: 'APDU traces: record, redact, replay, diff', load: () => import('./cli/trace.ts') },
    visit: { about: 'visits: record, replay, keep as a test', load: () => import('./cli/visit.ts') },
    kit: {
      about: 'judges programs that others build on this: レセコン, card clients, adapters, terminals, agents',
      load: () => import('./cli/kit.ts'),
    },
    'virtual-card': {
      about: 'a virtual My Number card in a real pcscd, by way of vpcd',
      load: () => import('./cli/virtual-card.ts'),
    },
  };

const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;

/** A clinic's PC has the agent's commands alone: there the files of a terminal's are missing. */
const load = (name: string, read: () => Promise<CommandFile>): Promise<CommandFile> =>
  read().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || existsSync(new URL(`cli/${name}.ts`, import.meta.url))) throw error;
    const text = 'uketsuke {name}: a command of terminals; it is not part of what is installed here';
    process.stderr.write(`${inWords(text, { name })}\n`);
    process.exit(2);
  });

/** What help says, in the language of the locale. */
const inWordsOfLocale = (command: Command): void => {
  command.description(inWords(command.description()));
  for (const option of command.options) option.description = inWords(option.description);
  for (const each of command.commands) inWordsOfLocale(each);
};

/** Runs `uketsuke <args>`. */
export const main = async (args: readonly string[]): Promise<void> => {
  const program = tellsMistakes(new Command('uketsuke'))
    .description('runtime for the face-authenticating My Number card reader (顔認証付きカードリーダー)')
    .enablePositionalOptions()
    .version(version);
  const asked = commands[args[0] ?? ''];
  if (asked === undefined) {
    for (const [name, { about }] of Object.entries(commands)) program.command(name).description(about);
  } else {
    await schemasInWords(args);
    (await load(args[0] ?? '', asked.load)).register(program);
  }
  inWordsOfLocale(program);
  await program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
    if (!isOfPeople(error)) throw error;
    refuse(args[0] ?? '', error);
  });
};

if (import.meta.main) await main(process.argv.slice(2));
