import { type MadeCard, makeCard } from '../../drivers/virtual/card-maker.ts';
import { drawnPhoto } from '../../drivers/virtual/drawn-photo.ts';
import { personaById } from '../../drivers/virtual/personas.ts';
import { ensureTestAuthority } from '../../drivers/virtual/test-authority.ts';
import { createVirtualCardFrontReader } from '../../drivers/virtual/virtual-card-front-reader.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import { PinDigits } from '../../src/protocol/card/pin-digits.ts';
import { type ReadCardOptions, readCard } from '../../src/terminal/card/read-card.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import { parseCvIssuers } from '../../src/trust/cv-trust.ts';
import { simulatedStartMs } from './simulated-clock.ts';

const cache = new URL('../../.cache/', import.meta.url).pathname;
export const authority = await ensureTestAuthority(`${cache}test-authority`);
export const trustedCvIssuers = parseCvIssuers(authority.cvIssuersJson);

export { drawnPhoto };

const made = new Map<string, Promise<MadeCard>>();

/**
 * Its dates are relative to the start of simulated time; one for a process is made for the machine’s day. Photo and
 * certificates are made once: each gets a card of its own that carries them.
 */
export const testCard = async (id: string, wallMs: number = simulatedStartMs): Promise<MadeCard> => {
  const keyFolder = `${cache}virtual-card-keys`;
  const making =
    made.get(`${id} ${wallMs}`) ??
    makeCard({ persona: personaById(id), authority, keyFolder, photo: drawnPhoto, wallMs });
  made.set(`${id} ${wallMs}`, making);
  const one = await making;
  return { ...one, card: one.asMade(), photoJp2: one.photoJp2.slice() };
};

/** What `readCard` gets in tests: the printed number is seen, the test authority trusted, the day is the cards' own. */
export const readOptions = (printedNumberB: string | null, more: Partial<ReadCardOptions> = {}): ReadCardOptions => {
  const cardFrontReader = createVirtualCardFrontReader();
  cardFrontReader.show(printedNumberB);
  return {
    cardFrontReader,
    trustedCvIssuers,
    cryptography: cardCryptography,
    wallMs: simulatedStartMs,
    signal: new AbortController().signal,
    ...more,
  };
};

export const readTestCard = (session: CardSession, made: MadeCard, more: Partial<ReadCardOptions> = {}) =>
  readCard(session, readOptions(made.printedNumberB, more));

/** A PIN as it was typed: what is no digit, or one too many, was not taken. */
export const pinDigits = (typed: string): PinDigits => {
  const digits = new PinDigits();
  for (const key of pinBytes(typed)) digits.add(key);
  return digits;
};

/** Where they stand: what is there once they are wiped can be seen. */
export const bytesOf = (digits: PinDigits): Uint8Array => digits.toCommand().apdu.body ?? new Uint8Array();

/** ASCII digits as bytes, as the key pad gives them. */
export const pinBytes = (digits: string): Uint8Array => new TextEncoder().encode(digits);
