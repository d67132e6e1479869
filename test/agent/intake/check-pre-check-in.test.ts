import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { pinCard } from '../../../scripts/beds/evidence-fixtures.ts';
import { signOnPhone } from '../../../scripts/beds/phone-app.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { releasedTextsOf } from '../../../scripts/beds/stored-releases.ts';
import { testSettings } from '../../../scripts/beds/test-facility.ts';
import { checkPreCheckIn } from '../../../src/agent/intake/check-pre-check-in.ts';
import { consentKeys, consentTexts } from '../../../src/agent/intake/consent-texts.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { readReleasedTexts } from '../../../src/catalogue/released-texts.ts';
import { askedTopics } from '../../../src/core/catalogue/consent.ts';
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import { hourMs } from '../../../src/core/time-units.ts';
import { type Certificate, parseCertificate } from '../../../src/protocol/card/certificate.ts';
import type { Consent } from '../../../src/wire/messages.ts';

const catalogue = catalogueAt(simulatedStartMs);
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
          consents: was.consents.map((one) => ({ ...one, catalogueVersion: '2019-01-01.1' })),
        })),
      'consent.text-unknown: pre-check-in',
    ],
  ])('%s', async (_name, jws, reason, change) => {
    expect(await refusal(await jws(), change)).toBe(reason);
  });

  test('a request that the same key signed is none, whatever it says', async () => {
    const [, payload, signature] = honest.jws.split('.');
    const { der } = certificateIn(honest);
    const header = { alg: 'RS256', typ: 'uketsuke-request', x5c: [Buffer.from(der).toString('base64')] };
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
    expect(await refusal(`${encoded}.${payload}.${signature}`)).toBe('message.forged: not a pre-check-in');
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

describe('a request that confirms', () => {
  let bed: AgentBed;
  afterEach(() => bed.close());
  const serial = '5E571001';
  /** Of this release's wire: a terminal of the first one is never offered anything. */
  const openBed = async (): Promise<void> => {
    bed = await makeAgentBed({ settings });
    await bed.say({ profile: 'demo', catalogueVersion: catalogue.version });
    await bed.quiet();
  };
  const settings = { ...testSettings, preCheckIn: true };
  const [topic] = askedTopics(catalogue.consents, settings);
  if (topic === undefined) throw new Error('nothing is asked');

  const confirmed = (given: boolean, said = given): Consent[] => {
    const question = { kind: 'pre-check-in', answers: [{ topic, given: said }] } as const;
    const text = consentTextOf(catalogue, 'ja', question, settings.institutionType);
    const textHash = createHash('sha256').update(text).digest('base64url');
    const common = { at: bed.clock.now().wallMs, catalogueVersion: catalogue.version, textHash, language: 'ja' };
    return topic.codes.map((code) => ({ code, given, ...common }));
  };
  const verdict = async (more: Parameters<AgentBed['sign']>[1], certificate?: Uint8Array) => {
    const card = certificate === undefined ? await bed.pin(serial) : pinCard(certificate, bed.keys.auth);
    await bed.request((await bed.sign(card, more)).sealed);
    const receipt = (await bed.receipts()).at(-1);
    return receipt?.code ?? receipt?.verdict;
  };

  test('its consents need the pre-check-in that they came from, with these very answers', async () => {
    bed = await makeAgentBed({ settings });
    expect(await verdict({ consents: confirmed(true) })).toBe('message.forged');
    expect(await verdict({ consents: confirmed(true, false), preCheckIn: randomUUID() })).toBe('consent.text-unknown');
    expect(await verdict({ consents: confirmed(true), preCheckIn: randomUUID() })).toBe('accepted');
  });

  test('what this agent offered is what it takes: no other id, no other answer', async () => {
    await openBed();
    const session = randomUUID();
    const certificate = await bed.certificate(serial);
    const signed = await sign({ settings, answers: ({ id }) => id === topic.id || null });
    const x5c = [Buffer.from(certificate).toString('base64')];
    const payload = Buffer.from(signed.jws.split('.')[1] ?? '', 'base64url');
    const jws = await new CompactSign(payload)
      .setProtectedHeader({ alg: 'RS256', typ: 'uketsuke-pre-check-in', x5c })
      .sign(bed.keys.auth);
    bed.leavePreCheckIn({ ...signed, certificateSerial: serial, jws });
    const offered = (await bed.lookup(certificate, session)).preCheckIn;
    expect(offered).toEqual({
      id: signed.id,
      consents: topic.codes.map((code) => ({ code, given: true })),
      // To the end of the Japanese day.
      lastsMs: Date.parse('2026-11-19T00:00:00+09:00') - bed.clock.now().wallMs,
    });
    const ask = (more: Parameters<AgentBed['sign']>[1]) => verdict({ session, ...more }, certificate);
    expect(await ask({ consents: confirmed(true), preCheckIn: randomUUID() })).toBe('message.forged');
    expect(await ask({ consents: confirmed(false), preCheckIn: signed.id })).toBe('message.forged');
    expect(await ask({ consents: confirmed(true), preCheckIn: signed.id })).toBe('accepted');
    // It has served: no second request of this visit confirms it, and the answers are kept no longer.
    expect(await ask({ consents: confirmed(true), preCheckIn: signed.id })).toBe('message.forged');
    expect((await bed.lookup(certificate)).preCheckIn).toBeUndefined();
  });

  test('nothing is offered while the agent’s own clock may not say which day it is', async () => {
    await openBed();
    const signed = await sign({ settings });
    bed.leavePreCheckIn(signed);
    const { der } = certificateIn(signed);
    expect((await bed.lookup(der)).preCheckIn?.id).toBe(signed.id);
    bed.setTime({ certainty: 'doubted', fault: 'moved' });
    expect((await bed.lookup(der)).preCheckIn).toBeUndefined();
  });

  test.each<[string, (bed: AgentBed) => void]>([
    [
      'the journal cannot say whether it was used',
      ({ journal }) => {
        journal.isPreCheckInUsed = () => {
          throw new Error('disk I/O error');
        };
      },
    ],
    ['the journal that knew what was used is gone', ({ journal, clock }) => journal.noteRolledBack(clock.now().wallMs)],
  ])('%s: the lookup is answered all the same, without it', async (_name, spoil) => {
    await openBed();
    const signed = await sign({ settings });
    bed.leavePreCheckIn(signed);
    const { der } = certificateIn(signed);
    spoil(bed);
    const answer = await bed.lookup(der);
    expect(answer).toMatchObject({ registered: 'yes', certificateStatus: 'good' });
    expect(answer.preCheckIn).toBeUndefined();
  });

  test('it may be confirmed to the end of its day, however long it says that it is good', async () => {
    await openBed();
    const lastsMs = async (end: number): Promise<number | undefined> => {
      const signed = await sign({ settings, change: (honest) => ({ ...honest, expiresAt: simulatedStartMs + end }) });
      bed.leavePreCheckIn(signed);
      return (await bed.lookup(certificateIn(signed).der)).preCheckIn?.lastsMs;
    };
    const now = bed.clock.now().wallMs;
    expect(await lastsMs(24 * hourMs)).toBe(Date.parse('2026-11-19T00:00:00+09:00') - now);
    expect(await lastsMs(90_000)).toBe(simulatedStartMs + 90_000 - now);
  });

  test('the power fails between its use and the receipt: the same request is accepted still, another is not', async () => {
    bed = await makeAgentBed({ settings });
    const preCheckIn = randomUUID();
    const { sealed } = await bed.sign(await bed.pin(serial), { consents: confirmed(true), preCheckIn });
    await bed.request(sealed);
    bed.restart();
    await bed.request(sealed);
    expect((await bed.receipts()).map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted']);
    expect(await verdict({ consents: confirmed(true), preCheckIn })).toBe('message.stale');
  });

  test('one pre-check-in, one visit: also after the agent began anew', async () => {
    bed = await makeAgentBed({ settings });
    const preCheckIn = randomUUID();
    expect(await verdict({ consents: confirmed(true), preCheckIn })).toBe('accepted');
    expect(await verdict({ consents: confirmed(true), preCheckIn })).toBe('message.stale');
    bed.restart();
    expect(await verdict({ preCheckIn })).toBe('message.stale');
    expect(bed.journal.isPreCheckInUsed(preCheckIn)).toBe(true);
  });
});
