import { readFileSync } from 'node:fs';
import { type MadeCard, makeCard } from '../../../drivers/virtual/card-maker.ts';
import { isFaceId, loadFaceGrey } from '../../../drivers/virtual/faces.ts';
import { personaById } from '../../../drivers/virtual/personas.ts';
import { parseServiceRecords } from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import { embedReference } from '../../../src/face/attempt/embed-reference.ts';
import { decodeReference } from '../../../src/face/models/decode-reference.ts';
import { encodeCommand } from '../../../src/protocol/card/apdu.ts';
import { verify } from '../../../src/protocol/card/myna-card.ts';
import { loadModels } from '../../beds/built-models.ts';
import type { Canary } from '../../beds/canary-search.ts';
import { authority, pinBytes } from '../../beds/test-cards.ts';

/* Who comes to the counter of the real visits, and what nobody but its owner and the レセコン is to have of a person. */

const keyFolder = new URL('../../../.cache/virtual-card-keys/', import.meta.url).pathname;
const who = ['hanako', 'taro'] as const;

const cardOf = async (id: string): Promise<MadeCard> => {
  const persona = personaById(id);
  const photo = persona.face !== null && isFaceId(persona.face) ? await loadFaceGrey(persona.face) : null;
  return makeCard({ persona, authority, keyFolder, photo, wallMs: Date.now() });
};
export const makeCards = (): Promise<readonly MadeCard[]> => Promise.all(who.map(cardOf));

const recordsFile = new URL(
  '../../../src/agent/eligibility/simulated-eligibility-service.records.json',
  import.meta.url,
);
const toldBy = (id: string): readonly string[] =>
  parseServiceRecords(readFileSync(recordsFile, 'utf8'), Date.now())
    .filter(({ persona }) => persona === id)
    .flatMap(({ qualifications }) => qualifications.flatMap(({ Name, NameKana }) => [Name, NameKana]))
    .filter((text) => typeof text === 'string');

/** Brightness alone, as a decoder gives a grey photo before it is tinted, within a step or two: ITU-R BT.601 */
const greyOf = (rgb: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: rgb.length / 3 }, (_, at) =>
    Math.round(0.299 * (rgb[at * 3] ?? 0) + 0.587 * (rgb[at * 3 + 1] ?? 0) + 0.114 * (rgb[at * 3 + 2] ?? 0)),
  );
const unitLength = (floats: Float32Array): Float32Array => {
  const length = Math.hypot(...floats);
  return floats.map((float) => float / length);
};

type Canaries = {
  /** Of the terminal alone: nothing that is sent may hold it, nor the agent's memory */
  readonly own: readonly Canary[];
  /** Of these the agent tells the レセコン */
  readonly told: readonly Canary[];
};

const canariesOf = async ({ persona, photoJp2, printedNumberB }: MadeCard): Promise<Canaries> => {
  const of = `of ${persona.id}`;
  const pin = persona.pins.auth?.secret ?? '';
  const decoded = await decodeReference(photoJp2);
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  const embedding = await embedReference(await loadModels(), decoded.value);
  if (embedding === null) throw new Error(`no face on the card ${of}`);
  return {
    own: [
      { what: `photo ${of}`, bytes: photoJp2 },
      { what: `picture ${of}`, bytes: decoded.value.rgb },
      { what: `grey picture ${of}`, bytes: greyOf(decoded.value.rgb) },
      { what: `embedding ${of}`, floats: embedding },
      { what: `embedding ${of}, unit length`, floats: unitLength(embedding) },
      { what: `PIN ${of}, as it goes to the card`, bytes: encodeCommand(verify(pinBytes(pin)).apdu) },
    ],
    told: [
      { what: `照合番号B ${of}`, text: printedNumberB ?? '' },
      { what: `name ${of}`, text: persona.person.name },
      ...toldBy(persona.id).map((text) => ({ what: `name ${of}, as the service has it`, text })),
      { what: `address ${of}`, text: persona.person.address },
    ],
  };
};

export const canariesOfAll = async (cards: readonly MadeCard[]): Promise<Canaries> => {
  const all = await Promise.all(cards.map(canariesOf));
  return { own: all.flatMap(({ own }) => own), told: all.flatMap(({ told }) => told) };
};
