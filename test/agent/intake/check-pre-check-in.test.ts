import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign } from 'jose';
import { describe, expect, test } from 'vitest';
import { fewLanguages, fixtures } from '../../../scripts/beds/intake-bed.ts';
import { signOnPhone } from '../../../scripts/beds/phone-app.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { releasedTextsOf } from '../../../scripts/beds/stored-releases.ts';
import { testSettings } from '../../../scripts/beds/test-facility.ts';
import { checkPreCheckIn } from '../../../src/agent/intake/check-pre-check-in.ts';
import { consentKeys, consentTexts } from '../../../src/agent/intake/consent-texts.ts';
import { checkCardCertificate } from '../../../src/agent/intake/verify-evidence.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { readReleasedTexts } from '../../../src/catalogue/released-texts.ts';
import { askedTopics } from '../../../src/core/catalogue/consent.ts';
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import { hourMs } from '../../../src/core/time-units.ts';
import { type Certificate, parseCertificate } from '../../../src/protocol/card/certificate.ts';
import type { Consent } from '../../../src/wire/messages.ts';

const catalogue = fewLanguages(catalogueAt(simulatedStartMs));
type Asked = Parameters<typeof signOnPhone>[0];
type Signed = Awaited<ReturnType<typeof signOnPhone>>;
const sign = (change: Partial<Asked> = {}): Promise<Signed> =>
  signOnPhone({
    ...{ persona: 'hanako', wallMs: simulatedStartMs, catalogue, settings: testSettings, answers: () => true },
    ...change,
  });

const certificateIn = ({ jws }: Signed): { der: Uint8Array; certificate: Certificate } => {
  const header = JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()) as { x5c: [string] };
  const der = new Uint8Array(Buffer.from(header.x5c[0], 'base64'));
  const parsed = parseCertificate(der);
  if (!parsed.ok) throw new Error(parsed.failure.detail);
  return { der, certificate: parsed.value };
};

const honest = await sign();
const texts = consentTexts([catalogue]);

describe('what a service brings is verified, each thing for itself', () => {
  const check = (jws: string, change: Partial<Parameters<typeof checkPreCheckIn>[1]> = {}) => {
    const { der, certificate } = certificateIn(honest);
    if (certificate.publicKey.type !== 'rsa') throw new Error('no RSA key');
    return checkPreCheckIn(jws, {
      authCertificate: der,
      publicKey: certificate.publicKey.key,
      medicalInstitutionCode: testSettings.medicalInstitutionCode,
      nowMs: simulatedStartMs,
      consentTexts: texts,
      isUsed: () => false,
      ...change,
    });
  };
  const refusal = async (jws: string, change?: Parameters<typeof check>[1]) => {
    const checked = await check(jws, change);
    return checked.ok ? 'taken' : `${checked.failure.code}: ${checked.failure.detail}`;
  };

  test('the honest one is taken as it was signed', async () => {
    const checked = await check(honest.jws);
    expect(checked).toMatchObject({ ok: true, value: { id: honest.id, consents: honest.consents } });
  });

  const midnight = Date.parse('2026-11-19T00:00:00+09:00');
  const another = async (change: NonNullable<Asked['change']>): Promise<string> => (await sign({ change })).jws;
  test.each<[string, () => Promise<string>, string, Parameters<typeof check>[1]?]>([
    ['over', async () => honest.jws, 'message.stale: another day, or over', { nowMs: midnight }],
    [
      'a day early',
      async () => honest.jws,
      'message.stale: another day, or over',
      { nowMs: midnight - 24 * hourMs - 1 },
    ],
    [
      'ended before its day',
      () => another((was) => ({ ...was, expiresAt: simulatedStartMs })),
      'message.stale: another day, or over',
    ],
    [
      'that would live longer than a day',
      () => another((was) => ({ ...was, expiresAt: was.issuedAt + 25 * hourMs })),
      'message.stale: another day, or over',
    ],
    [
      'from time to come',
      () => another((was) => ({ ...was, issuedAt: simulatedStartMs + 6 * 60_000 })),
      'message.stale: another day, or over',
    ],
    [
      'that lives exactly a day, from as far ahead as clocks may differ',
      () =>
        another((was) => ({
          ...was,
          issuedAt: simulatedStartMs + 5 * 60_000,
          expiresAt: simulatedStartMs + 5 * 60_000 + 24 * hourMs,
        })),
      'taken',
    ],
    [
      'one moment further ahead',
      () => another((was) => ({ ...was, issuedAt: simulatedStartMs + 5 * 60_000 + 1 })),
      'message.stale: another day, or over',
    ],
    [
      'one moment longer than a day',
      () => another((was) => ({ ...was, expiresAt: was.issuedAt + 24 * hourMs + 1 })),
      'message.stale: another day, or over',
    ],
    ['used', async () => honest.jws, 'message.stale: used', { isUsed: (id) => id === honest.id }],
    [
      'for another facility',
      async () => honest.jws,
      'message.forged: for another facility',
      { medicalInstitutionCode: '1399999999' },
    ],
    [
      'of another person',
      async () => (await sign({ persona: 'unregistered' })).jws,
      'message.forged: pre-check-in of another certificate',
    ],
    [
      'another person’s words under this one’s certificate',
      async () => {
        const [, payload, signature] = (await sign({ persona: 'unregistered' })).jws.split('.');
        return [honest.jws.split('.')[0], payload, signature].join('.');
      },
      'message.forged: signature of the pre-check-in',
    ],
    [
      'changed by a letter',
      async () => honest.jws.replace(/\.(.{40})./, (_, head) => `.${head}A`),
      'message.forged: signature of the pre-check-in',
    ],
    [
      'of a form of tomorrow',
      () => another((was) => ({ ...was, preCheckIn: 2 })),
      'message.malformed: pre-check-in of form 2',
    ],
    ['with a field more', () => another((was) => ({ ...was, more: 1 })), 'message.malformed: pre-check-in of form 1'],
    ['of no form', () => another(() => ({ id: 'x' })), 'message.malformed: pre-check-in'],
    ['that is endless', async () => `${honest.jws}${'A'.repeat(20_000)}`, 'message.malformed: pre-check-in: length'],
    [
      'to words of before a notice',
      () =>
        another((was) => ({
          ...was,
          consents: was.consents.map((one, at) => (at === 0 ? one : { ...one, catalogueVersion: '2019-01-01.1' })),
        })),
      'consent.text-unknown: pre-check-in',
    ],
  ])('%s', async (_name, jws, reason, change) => {
    expect(await refusal(await jws(), change)).toBe(reason);
  });

  const own = Buffer.from(certificateIn(honest).der).toString('base64');
  test.each<[string, object, string]>([
    ['of a request', { typ: 'uketsuke-request' }, 'not a pre-check-in'],
    ['with a rule of its own', { crit: ['b64'], b64: true }, 'not a pre-check-in'],
    ['without a certificate', { x5c: undefined }, 'not a pre-check-in'],
    ['with a chain', { x5c: [own, own] }, 'not a pre-check-in'],
    ['with none', { x5c: [] }, 'not a pre-check-in'],
    ['that the signature does not cover', {}, 'signature of the pre-check-in'],
    ['of another algorithm', { alg: 'PS256' }, 'signature of the pre-check-in'],
  ])('a header %s is refused, whatever it says', async (_what, change, detail) => {
    const [, payload, signature] = honest.jws.split('.');
    const header = { x5c: [own], typ: 'uketsuke-pre-check-in', alg: 'RS256', ...change };
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
    expect(await refusal(`${encoded}.${payload}.${signature}`)).toBe(`message.forged: ${detail}`);
  });

  test('what is signed and is no text is none', async () => {
    const { keys, certificate, trust } = fixtures;
    const holder = checkCardCertificate(certificate, trust, simulatedStartMs);
    if (!holder.ok) throw new Error(holder.failure.detail);
    const x5c = [Buffer.from(certificate).toString('base64')];
    const jws = await new CompactSign(Buffer.from('"\xff"', 'latin1'))
      .setProtectedHeader({ alg: 'RS256', typ: 'uketsuke-pre-check-in', x5c })
      .sign(keys.auth);
    const publicKey = holder.value.certificate.publicKey.key;
    expect(await refusal(jws, { authCertificate: certificate, publicKey })).toBe(
      'message.forged: signature of the pre-check-in',
    );
  });

  test('no words at all, and what is no JSON', async () => {
    expect(await refusal('')).toBe('message.forged: signature of the pre-check-in');
    // The longest that is read, and a letter more.
    expect(await refusal('A'.repeat(16_000))).toBe('message.forged: signature of the pre-check-in');
    expect(await refusal('A'.repeat(16_001))).toBe('message.malformed: pre-check-in: length');
  });

  test('the screen’s words say which answer they are about, and are known to terminals of the next release', () => {
    const [topic] = askedTopics(catalogue.consents, testSettings);
    if (topic === undefined) throw new Error('nothing is asked');
    const [code = ''] = topic.codes;
    const consent = (given: boolean, said: boolean): Consent => {
      const question = { kind: 'pre-check-in', answers: [{ topic, given: said }] } as const;
      const text = consentTextOf(catalogue, 'en', question, testSettings.institutionType);
      const textHash = createHash('sha256').update(text).digest('base64url');
      return { code, given, at: 0, catalogueVersion: catalogue.version, textHash, language: 'en' };
    };
    expect([true, false].map((given) => texts.isConfirmed(consent(given, given)))).toEqual([true, true]);
    expect([true, false].map((given) => texts.isConfirmed(consent(given, !given)))).toEqual([false, false]);
    // Nor are they words of a question that nobody answered beforehand.
    expect(texts.isShown(consent(true, true))).toBe(false);
    const { textHash } = consent(true, true);
    expect(consentKeys(catalogue)).toContain(`${catalogue.version} en ${code} ${textHash} true`);
    // One release later, by agents whose own words are others: the same words, the same one answer.
    const released = [releasedTextsOf('v1', consentKeys(catalogue))];
    const later = consentTexts(
      [{ ...catalogue, version: catalogue.version.replace(/\+[^+]+/, '+2099-01-05') }],
      released,
    );
    expect([true, false].map((given) => later.isConfirmed(consent(given, given)))).toEqual([true, true]);
    expect([true, false].map((given) => later.isConfirmed(consent(given, !given)))).toEqual([false, false]);
    expect(later.isShown(consent(true, true))).toBe(false);
    // What the next release keeps is read as it was written.
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-released-'));
    mkdirSync(join(folder, 'released'));
    writeFileSync(join(folder, 'released', 'v1.json'), JSON.stringify(released[0]));
    expect(readReleasedTexts(folder)).toEqual(released);
    rmSync(folder, { recursive: true });
  });
});
