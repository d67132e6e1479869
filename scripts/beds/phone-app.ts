import { createHash, randomUUID } from 'node:crypto';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import { createVirtualCardReader } from '../../drivers/virtual/virtual-card-reader.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { askedTopics, type ConsentTopic } from '../../src/core/catalogue/consent.ts';
import { formatJapanDate, japanDate } from '../../src/core/japan-time.ts';
import { consentTextOf } from '../../src/core/screen/draw-screen-consent.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import { parseCertificate } from '../../src/protocol/card/certificate.ts';
import { readAuthCertificate } from '../../src/terminal/card/read-card.ts';
import { signWithAuthKey, verifyPin } from '../../src/terminal/card/use-card-keys.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import { type PreCheckIn, preCheckInForm, preCheckInType } from '../../src/wire/pre-check-in-messages.ts';
import { pinDigits, testCard } from './test-cards.ts';

/*
 * The app on a patient's phone that a pre-check-in would need, simulated: it asks what the facility asks, in the catalogue's words,
 * and has the answers signed by the phone's own certificate or by the card that is held to it. Not a line of it is the product's.
 */

const must = <T>(result: { ok: true; value: T } | { ok: false; failure: { code: string; detail?: string } }): T => {
  if (!result.ok) throw new Error(`${result.failure.code} ${result.failure.detail ?? ''}`);
  return result.value;
};

const sessionWith = (card: VirtualCard): CardSession => {
  const reader = createVirtualCardReader();
  const sessions: CardSession[] = [];
  reader.subscribe((event) => {
    if (event.type === 'card-inserted') sessions.push(event.session);
  });
  reader.insert(card);
  const [session] = sessions;
  if (session === undefined) throw new Error('no card answered');
  return session;
};

type Asked = {
  /** Whose phone, or whose card is held to it: a test card */
  readonly persona: string;
  /** In place of that test card */
  readonly card?: VirtualCard;
  readonly wallMs: number;
  readonly catalogue: Catalogue;
  readonly settings: FacilitySettings;
  readonly language?: string;
  /** By the topic's id; a topic without an answer is left for the desk */
  readonly answers: (topic: ConsentTopic) => boolean | null;
  /** What a dishonest or faulty phone writes instead, before it signs */
  readonly change?: (honest: PreCheckIn) => object;
};

type Signed = {
  readonly id: string;
  readonly certificateSerial: string;
  readonly medicalInstitutionCode: string;
  readonly jws: string;
  readonly consents: PreCheckIn['consents'];
};

const answered = ({ catalogue, settings, answers, wallMs, language = 'ja' }: Asked): PreCheckIn['consents'] =>
  askedTopics(catalogue.consents, settings).flatMap((topic) => {
    const given = answers(topic);
    if (given === null) return [];
    const text = consentTextOf(catalogue, language, { kind: 'consent-item', topic }, settings.institutionType);
    const textHash = createHash('sha256').update(text).digest('base64url');
    return topic.codes.map((code) => ({
      ...{ code, given, at: wallMs, catalogueVersion: catalogue.version, textHash, language },
    }));
  });

const midnightAfter = (wallMs: number): number => {
  const dayMs = 86_400_000;
  const japanMs = 9 * 3_600_000;
  return Math.ceil((wallMs + japanMs + 1) / dayMs) * dayMs - japanMs;
};

/** Signed with the PIN of the phone or card, as it would be handed to the service. */
export const signOnPhone = async (asked: Asked, pin = '1234'): Promise<Signed> => {
  const { persona, wallMs, settings, change } = asked;
  const session = sessionWith(asked.card ?? (await testCard(persona, wallMs)).card);
  const { medicalInstitutionCode } = settings;
  must(await verifyPin(session, pinDigits(pin)));
  const { authCertificate } = must(await readAuthCertificate(session, { datesCount: false, wallMs }));
  const honest: PreCheckIn = {
    preCheckIn: preCheckInForm,
    id: randomUUID(),
    medicalInstitutionCode,
    day: formatJapanDate(japanDate(wallMs)),
    issuedAt: wallMs,
    expiresAt: midnightAfter(wallMs),
    consents: answered(asked),
  };
  const x5c = [Buffer.from(authCertificate).toString('base64')];
  const parts = [{ alg: 'RS256', typ: preCheckInType, x5c }, change?.(honest) ?? honest];
  const input = parts.map((part) => toBase64url(new TextEncoder().encode(JSON.stringify(part)))).join('.');
  const signature = must(await signWithAuthKey(session, createHash('sha256').update(input).digest()));
  await session.end();
  return {
    id: honest.id,
    certificateSerial: must(parseCertificate(authCertificate)).serial,
    medicalInstitutionCode,
    jws: `${input}.${toBase64url(signature)}`,
    consents: honest.consents,
  };
};
