import { type MadeCard, makeCard } from '../../../drivers/virtual/card-maker.ts';
import type { GreyImage } from '../../../drivers/virtual/jp2.ts';
import { type Persona, personaById } from '../../../drivers/virtual/personas.ts';
import { authority } from '../../beds/test-cards.ts';

/** Who comes to the clinic. The odd ones come seldom. */
const often = ['hanako', 'taro', 'near-expiry', 'grace', 'face-only'] as const;
const seldom = ['no-photo', 'unregistered', 'revoked', 'pin-blocked', 'dead', 'driving-licence'] as const;
/** When the simulated days begin: a Wednesday after the release, ten in the morning in Japan */
export const startMs = Date.parse('2026-12-02T10:00:00+09:00');
export const personaIds = { often, seldom };

export type People = ReadonlyMap<string, MadeCard>;

/** A small picture, another one for each: what is on it is nobody's business here, whose it is is. */
const photoOf = (index: number): GreyImage => ({
  width: 64,
  height: 64,
  grey: Uint8Array.from({ length: 4096 }, (_, at) => (at * (index + 3) + index * 29) & 0xff),
});

/** The same person with another PIN; who has none gets none. */
const withPin = (persona: Persona, pin: string | null): Persona => {
  const { auth } = persona.pins;
  if (pin === null || auth === null) return persona;
  return { ...persona, pins: { ...persona.pins, auth: { ...auth, secret: pin } } };
};

/** Their cards, made once for all worlds. `pin`: everybody's; null: each has the own */
export const makePeople = async (pin: string | null = null): Promise<People> => {
  const keyFolder = new URL('../../../.cache/virtual-card-keys/', import.meta.url).pathname;
  const ids = [...often, ...seldom];
  const made = ids.map((id, index) =>
    makeCard({
      ...{ persona: withPin(personaById(id), pin), authority, keyFolder, photo: photoOf(index), wallMs: startMs },
    }),
  );
  return new Map((await Promise.all(made)).map((card) => [card.persona.id, card]));
};
