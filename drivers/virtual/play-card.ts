import { setTimeout as delay } from 'node:timers/promises';
import { type CardFault, withFaults } from './card-faults.ts';
import { type MadeCard, makeCard } from './card-maker.ts';
import type { CardTiming } from './card-timing.ts';
import { drawnPhoto } from './drawn-photo.ts';
import { isFaceId, loadFaceGrey } from './faces.ts';
import type { GreyImage } from './jp2.ts';
import { type Persona, personaById, personas } from './personas.ts';
import { ensureTestAuthority } from './test-authority.ts';
import type { VirtualCard } from './virtual-card.ts';
import { connectToVpcd, type VpcdConnection } from './vpcd-client.ts';

export type PlayOptions = {
  readonly persona: string;
  /** vpcd itself, or a Unix socket that leads to it */
  readonly vpcd: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly timing: CardTiming;
  readonly faults: readonly CardFault[];
  /** Folder for the test authority and the cards' keys. */
  readonly cache: string;
  /** Ends it as a signal to the process does */
  readonly leave?: AbortSignal;
  /** Whoever looks on: at what is said, and when the card forgets what it granted */
  readonly watch?: {
    reset(): void;
    exchange(seen: { readonly command: Uint8Array; readonly response: Uint8Array }): void;
  };
};

/** The same card, looked at. */
const watched = (card: VirtualCard, watch: PlayOptions['watch']): VirtualCard =>
  watch === undefined
    ? card
    : {
        id: card.id,
        atr: card.atr,
        get verifyCount() {
          return card.verifyCount;
        },
        reset: () => {
          watch.reset();
          card.reset();
        },
        transmit: (command) => {
          const response = card.transmit(command);
          watch.exchange({ command, response });
          return response;
        },
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
    backAfterMs = undefined;
    isPulled = true;
    if (connection === null) process.exit(0);
    void connection.close();
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  options.leave?.addEventListener('abort', leave);
  for (;;) {
    isPulled = false;
    connection = await connectToVpcd({
      to: 'path' in options.vpcd ? { path: options.vpcd.path } : options.vpcd,
      card: watched(faulty, options.watch),
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
