import { setTimeout as delay } from 'node:timers/promises';
import { type CardFault, withFaults } from './card-faults.ts';
import { type MadeCard, makeCard } from './card-maker.ts';
import type { CardTiming } from './card-timing.ts';
import { drawnPhoto } from './drawn-photo.ts';
import { isFaceId, loadFaceGrey } from './faces.ts';
import type { GreyImage } from './jp2.ts';
import { type Persona, personaById, personas } from './personas.ts';
import { ensureTestAuthority } from './test-authority.ts';
import { connectToVpcd, type VpcdConnection } from './vpcd-client.ts';

export type PlayOptions = {
  readonly persona: string;
  readonly vpcd: { readonly host: string; readonly port: number };
  readonly timing: CardTiming;
  readonly faults: readonly CardFault[];
  /** Folder for the test authority and the cards' keys. */
  readonly cache: string;
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

/** The card of a persona with the keys and the authority in `cache`. Throws on an unknown id. */
export const makePersonasCard = async (id: string, cache: string): Promise<MadeCard> => {
  const persona = personaById(id);
  return makeCard({
    persona,
    authority: await ensureTestAuthority(`${cache}/test-authority`),
    keyFolder: `${cache}/virtual-card-keys`,
    photo: await photoOf(persona),
    wallMs: Date.now(),
  });
};

/**
 * Plays one persona's card in vpcd until it is taken away for good or the process is told to end. Prints the test PINs,
 * `inserted` and `pulled`, and at the end the APDUs as JSON. Rejects when nobody listens there.
 */
export const playCard = async (options: PlayOptions): Promise<void> => {
  const { persona, card, printedNumberB } = await makePersonasCard(options.persona, options.cache);
  describe(persona, printedNumberB);

  let connection: VpcdConnection | null = null;
  let backAfterMs: number | undefined;
  let isPulled = false;
  let apdus = 0;
  const faulty = withFaults(card, options.faults, (back) => {
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
      timing: options.timing,
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

export const listPersonas = (): void => {
  for (const { id, title } of personas.values()) say(`${id.padEnd(16)} ${title}`);
};
