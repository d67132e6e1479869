import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { newPassphrase, refuseTakenPlace, takeAuthorityKeyAway } from '../agent/provisioning/authority-key.ts';
import { writeCardTrust } from '../agent/provisioning/card-trust.ts';
import {
  addAgent,
  addDevice,
  agentDirectory,
  createFacility,
  deviceDirectory,
} from '../agent/provisioning/facility-authority.ts';
import { firstFacilitySettings } from '../catalogue/first-settings.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { printYaml } from '../config-file/plain-yaml.ts';
import type { Catalogue } from '../core/catalogue/catalogue.ts';
import { type FacilityKind, facilityKinds, facilitySettingsSchema } from '../wire/facility-settings.ts';
import { identifier } from '../wire/messages.ts';
import { chainsFrom } from './clinic-card-trust.ts';
import { addClinicCommand, terminalId } from './provision-clinic.ts';
import { addListenCommand } from './provision-listen.ts';
import { addMoveCommands } from './provision-move.ts';
import { addTerminalCommand } from './provision-terminal.ts';
import { explained } from './say.ts';

type FacilityOptions = {
  readonly dir: string;
  readonly facility: string;
  readonly name: string;
  readonly institutionCode: string;
  readonly kind?: FacilityKind;
  readonly brokerName: string[];
  readonly agent: string;
  readonly terminals: string;
  readonly cardTrust?: string;
  readonly test?: true;
  readonly caKeyTo?: string;
};

/** Asked where somebody sits at the command; a script says it. Throws when neither. */
const askKind = async (kinds: Catalogue['consents']['kinds']): Promise<FacilityKind> => {
  if (!process.stdin.isTTY) throw new Error(`--kind is missing: one of ${facilityKinds.join(', ')}`);
  const choices = facilityKinds.map((kind, index) => `${index + 1} ${kinds[kind].officialName}`).join('  ');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (;;) {
      const kind = facilityKinds[Number(await lines.question(`施設の種類 ${choices} : `)) - 1];
      if (kind !== undefined) return kind;
    }
  } finally {
    lines.close();
  }
};

/** The command's own options are checked here: its subcommands have none of them. Throws what is missing. */
const complete = (options: Partial<FacilityOptions>): FacilityOptions => {
  const needed = {
    dir: '--dir',
    facility: '--facility',
    name: '--name',
    institutionCode: '--institution-code',
  } as const;
  for (const [key, option] of Object.entries(needed))
    if (options[key as keyof typeof needed] === undefined) throw new Error(`${option} is missing`);
  return options as FacilityOptions;
};

/** Before anything is made: of a facility half made nobody was told the passphrase. Throws what is wrong. */
const refuseMistakes = async (options: FacilityOptions): Promise<void> => {
  const { facilityName, medicalInstitutionCode } = facilitySettingsSchema.shape;
  const wrong = (schema: z.ZodType, value: string): boolean => !schema.safeParse(value).success;
  for (const [option, value] of [
    ['--facility', options.facility],
    ['--agent', options.agent],
  ] as const)
    if (wrong(identifier, value)) throw new Error(`${option}: small letters, digits and hyphens, 63 at most`);
  if (wrong(facilityName, options.name)) throw new Error('--name: 1 to 60 characters on one line');
  if (wrong(medicalInstitutionCode, options.institutionCode)) throw new Error('--institution-code: 10 digits (0 to 9)');
  if (options.caKeyTo !== undefined) await refuseTakenPlace(options.caKeyTo);
};

/** Facility, one agent, its settings file and the terminals, each in its directory to hand over. */
const provision = async (options: FacilityOptions): Promise<void> => {
  await refuseMistakes(options);
  const { consents } = catalogueAt(Date.now());
  const kind = options.kind ?? (await askKind(consents.kinds));
  const settings = firstFacilitySettings(consents, kind, options.name, options.institutionCode);
  const count = Number(options.terminals);
  if (!Number.isInteger(count) || count < 0 || count > 99) throw new Error('--terminals: 0 to 99');
  const chains = options.cardTrust === undefined ? null : await chainsFrom(options.cardTrust, options.test === true);
  const passphrase = newPassphrase();
  const access = { passphrase };
  await createFacility(options.dir, {
    facility: options.facility,
    brokerNames: options.brokerName,
    caPassphrase: passphrase,
  });
  const agent = await addAgent(options.dir, options.agent, access);
  await writeFile(join(agent, 'facility-settings.yaml'), printYaml(settings), { mode: 0o600 });
  if (chains !== null) await writeCardTrust(join(agent, 'card-trust'), chains);
  const terminals = Array.from({ length: count }, (_, index) => index + 1);
  for (const lane of terminals) await addDevice(options.dir, terminalId(lane), lane, access);
  if (options.caKeyTo !== undefined) await takeAuthorityKeyAway(options.dir, access, options.caKeyTo);
  process.stdout.write(
    `${JSON.stringify({
      agent: agentDirectory(options.dir, options.agent),
      devices: terminals.map((lane) => deviceDirectory(options.dir, terminalId(lane))),
      // Told this once and kept nowhere: without it no terminal can be added or revoked.
      ...(options.caKeyTo === undefined ? { caPassphrase: passphrase } : { caKey: options.caKeyTo }),
    })}\n`,
  );
};

const orExplain = explained('provision');

/** `uketsuke provision`: keys are made here and handed over as files; the CA's key is locked, or leaves on a stick. */
export const register = (program: Command): void => {
  const command = program
    .command('provision')
    .description("makes a facility's CA, keys, an agent and its terminals; prints the directories to hand over")
    .enablePositionalOptions()
    .option('--dir <dir>', 'new directory of the facility')
    .option('--facility <id>', 'id of the facility, as in its topics')
    .option('--name <text>', 'name of the facility as patients know it')
    .option('--institution-code <code>', '医療機関等コード, 10 digits')
    .addOption(
      new Option('--kind <kind>', '医科, 歯科, 薬局 or 訪問看護: which questions it begins with').choices(
        facilityKinds,
      ),
    )
    .option('--broker-name <name...>', 'names and addresses of the broker', ['localhost', '127.0.0.1'])
    .option('--agent <id>', 'id of the agent', 'agent-1')
    .option('--terminals <number>', 'how many terminals: terminal-01 and so on', '1')
    .option('--card-trust <dir>', 'trust anchors of cards to copy to the agent')
    .option('--test', 'they are those of test cards')
    .option('--ca-key-to <file>', "where the CA's key goes (a stick); without it, it stays here under a passphrase")
    .action(orExplain(async (options: Partial<FacilityOptions>) => provision(complete(options))));
  addClinicCommand(command, orExplain);
  addListenCommand(command, orExplain);
  addMoveCommands(command, orExplain);
  addTerminalCommand(command, orExplain);
};
