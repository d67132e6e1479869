import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { addMonths, endOfJapanDay, type JapanDate, japanDate, startOfJapanDay } from '../../src/core/japan-time.ts';

/** A day relative to today, by Japanese calendar: years and months first, then days. */
const relativeDay = z.strictObject({ years: z.int().optional(), months: z.int().optional(), days: z.int().optional() });
type RelativeDay = z.infer<typeof relativeDay>;

const secret = (pattern: RegExp, tries: number) =>
  z.strictObject({ secret: z.string().regex(pattern), triesLeft: z.int().min(0).max(tries) });

const personaSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  /** What is special about this card, in one line, for the control panel. */
  title: z.string(),
  type: z.enum([
    'my-number-card',
    'old-juki',
    'android-phone',
    'iphone',
    'empty-phone',
    'driving-licence',
    'residence-card',
  ]),
  /** Where reference facts are silent: what this file chose, in words. */
  choices: z.array(z.string()).optional(),
  /** Name of the face image this person has, or null. */
  face: z.string().nullable(),
  /** Synthetic person. Birth date yyyyMMdd, sex as on the card: 1 male, 2 female, 9 unknown. */
  person: z.strictObject({
    name: z.string(),
    address: z.string(),
    birthDate: z.string().regex(/^\d{8}$/),
    sex: z.enum(['1', '2', '9']),
  }),
  /** Of the authCertificate, upper-case hexadecimal: joins the card to the national service's record. */
  serial: z.string().regex(/^[0-9A-F]{8}$/),
  /** The day on which card (DF29) and certificate end; the certificate at 23:59:59 JST. */
  cardExpires: relativeDay,
  certificateExpires: relativeDay,
  /** The four printed digits at the end of 照合番号B. */
  securityCode: z.string().regex(/^\d{4}$/),
  hasPhoto: z.boolean(),
  pins: z.strictObject({
    auth: secret(/^\d{4}$/, 3).nullable(),
    sign: secret(/^[A-Z0-9]{6,16}$/, 5),
    text: secret(/^\d{4}$/, 3),
    verificationNumberB: z.strictObject({ triesLeft: z.int().min(0).max(10) }),
  }),
});

export type Persona = z.infer<typeof personaSchema>;

export const dayFrom = (today: JapanDate, { years = 0, months = 0, days = 0 }: RelativeDay): JapanDate => {
  const month = addMonths(today, years * 12 + months);
  return japanDate(startOfJapanDay({ ...month, day: month.day + days }));
};

/** 23:59:59 JST of that day. */
export const lastSecondOf = (day: JapanDate): number => endOfJapanDay(day) - 999;

const folder = new URL('personas/', import.meta.url);

/** Every persona of drivers/virtual/personas, by id. Throws when a file is not as it should be. */
export const personas: ReadonlyMap<string, Persona> = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const persona = personaSchema.parse(JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
      if (`${persona.id}.json` !== name) throw new Error(`${name} holds the persona ${persona.id}`);
      return [persona.id, persona];
    }),
);

/** An id of ours, or the path of a persona file (ends in .json). Throws on an unknown id, naming those there are. */
export const personaById = (id: string): Persona => {
  if (id.endsWith('.json')) return personaSchema.parse(JSON.parse(readFileSync(id, 'utf8')));
  const persona = personas.get(id);
  if (persona === undefined) throw new Error(`no persona ${id}; there are: ${[...personas.keys()].join(', ')}`);
  return persona;
};
