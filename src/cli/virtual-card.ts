import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type CardFault, parseCardFaults, withFaults } from '../../drivers/virtual/card-faults.ts';
import { makeCard } from '../../drivers/virtual/card-maker.ts';
import type { CardTiming } from '../../drivers/virtual/card-timing.ts';
import { drawnPhoto } from '../../drivers/virtual/drawn-photo.ts';
import { isFaceId, loadFaceGrey } from '../../drivers/virtual/faces.ts';
import type { GreyImage } from '../../drivers/virtual/jp2.ts';
import { type Persona, personaById, personas } from '../../drivers/virtual/personas.ts';
import { ensureTestAuthority } from '../../drivers/virtual/test-authority.ts';
import { connectToVpcd, type VpcdConnection } from '../../drivers/virtual/vpcd-client.ts';

type Options = {
  readonly persona?: string;
  readonly vpcd: { readonly host: string; readonly port: number };
  readonly kbps: string;
  readonly signatureMs: number;
  readonly commandMs: number;
  readonly faults?: readonly CardFault[];
  readonly cache: string;
  readonly list?: true;
};

const cacheFolder = fileURLToPath(new URL('../../.cache', import.meta.url));

const address = (text: string): Options['vpcd'] => {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) throw new InvalidArgumentError('host:port');
  return { host: match[1], port };
};
const milliseconds = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 60_000) throw new InvalidArgumentError('0 to 60000 ms');
  return value;
};
const faultFile = (path: string): readonly CardFault[] => {
  try {
    return parseCardFaults(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : 'not a fault file');
  }
};

/** The persona's face where the set-up has cut it, a drawn pattern where not. */
const photoOf = async ({ face, hasPhoto }: Persona): Promise<GreyImage | null> => {
  if (!hasPhoto) return null;
  if (face === null || !isFaceId(face)) return drawnPhoto;
  return loadFaceGrey(face).catch(() => drawnPhoto);
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const describe = (persona: Persona, printedNumberB: string | null): void => {
  say(`${persona.id}: ${persona.title} (synthetic person, test keys)`);
  const { auth, sign, text } = persona.pins;
  if (printedNumberB === null) return;
  const tries = (left: number): string => (left === 0 ? ', blocked' : `, ${left} tries`);
  say(`  利用者証明用 PIN   ${auth === null ? 'none' : `${auth.secret}${tries(auth.triesLeft)}`}`);
  say(`  署名用 password    ${sign.secret}${tries(sign.triesLeft)}`);
  say(`  券面事項入力補助   ${text.secret}${tries(text.triesLeft)}`);
  say(`  照合番号B          ${printedNumberB}${tries(persona.pins.verificationNumberB.triesLeft)}`);
  for (const choice of persona.choices ?? []) say(`  chosen: ${choice}`);
};

const play = async (options: Options): Promise<void> => {
  const persona = personaById(options.persona ?? '');
  const authority = await ensureTestAuthority(`${options.cache}/test-authority`);
  const { card, printedNumberB } = await makeCard({
    persona,
    authority,
    keyFolder: `${options.cache}/virtual-card-keys`,
    photo: await photoOf(persona),
    wallMs: Date.now(),
  });
  describe(persona, printedNumberB);

  const timing: CardTiming = {
    kbps: Number(options.kbps) as CardTiming['kbps'],
    signatureMs: options.signatureMs,
    commandMs: options.commandMs,
  };
  let connection: VpcdConnection | null = null;
  let backAfterMs: number | undefined;
  let isPulled = false;
  let apdus = 0;
  const faulty = withFaults(card, options.faults ?? [], (back) => {
    isPulled = true;
    backAfterMs = back;
    void connection?.close();
  });
  const leave = (): void => {
    say(JSON.stringify({ apdus, verifies: card.verifyCount }));
    process.exit(0);
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  for (;;) {
    isPulled = false;
    connection = await connectToVpcd({
      to: options.vpcd,
      card: faulty,
      timing,
      onApdu: ({ phase }) => {
        if (phase === 'after') apdus++;
      },
    });
    say('inserted');
    await connection.ended;
    say(isPulled ? 'pulled' : 'reader gone');
    if (!isPulled || backAfterMs === undefined) break;
    await delay(backAfterMs);
  }
  say(JSON.stringify({ apdus, verifies: card.verifyCount }));
};

export const register = (program: Command): void => {
  program
    .command('virtual-card')
    .description(
      'a virtual My Number card in a real pcscd, by way of vpcd (run both in a network namespace of their own)',
    )
    .addOption(new Option('--persona <id>', 'whose card').choices([...personas.keys()]))
    .addOption(
      new Option('--vpcd <host:port>', 'where vpcd listens')
        .argParser(address)
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
    .addOption(
      new Option('--faults <file>', 'JSON list of faults: [{"at": 12, "do": "pull", "backAfterMs": 2000}]').argParser(
        faultFile,
      ),
    )
    .addOption(new Option('--cache <folder>', 'where test authority and keys are kept').default(cacheFolder))
    .option('--list', 'the personas there are')
    .action(async (options: Options, command: Command) => {
      if (options.list === true) {
        for (const { id, title } of personas.values()) say(`${id.padEnd(16)} ${title}`);
        return;
      }
      if (options.persona === undefined) command.error('--persona is missing; --list names them');
      try {
        await play(options);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        command.error(code === 'ECONNREFUSED' ? 'nobody listens there: is pcscd with vpcd running?' : String(error));
      }
    });
};
