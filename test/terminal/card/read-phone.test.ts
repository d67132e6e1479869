import { describe, expect, test } from 'vitest';
import { createVirtualCardReader } from '../../../drivers/virtual/virtual-card-reader.ts';
import { bytesOf, pinDigits, testCard } from '../../../scripts/beds/test-cards.ts';
import type { CardSession } from '../../../src/ports/card-reader.ts';
import { toHex } from '../../../src/protocol/bytes.ts';
import { parseCertificate } from '../../../src/protocol/card/certificate.ts';
import { sha256DigestInfo, verifyRsaSignature } from '../../../src/protocol/card/digest-info.ts';
import { openPhone } from '../../../src/terminal/card/read-phone.ts';
import { signWithAuthKey } from '../../../src/terminal/card/use-card-keys.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';

/** Held to the reader for phones, with every APDU it was sent. */
const hold = async (id: string) => {
  const commands: string[] = [];
  const reader = createVirtualCardReader({
    onApdu: ({ phase, command }) => {
      if (phase === 'before') commands.push(toHex(command));
    },
  });
  const sessions: CardSession[] = [];
  reader.subscribe((event) => {
    if (event.type === 'card-inserted') sessions.push(event.session);
  });
  const { card, persona } = await testCard(id);
  reader.insert(card);
  const [session] = sessions;
  if (session === undefined) throw new Error('no session');
  return { reader, card, persona, session, commands };
};
const options = { lastTryConfirmed: false, wallMs: Date.now(), datesCount: true };
const isVerify = (command: string): boolean => command.startsWith('00200080') && command.length > 8;

describe('an Android held to its reader', () => {
  test('its token first, its counter, one VERIFY, then the certificate that this opens; it can sign, and no AP is selected in between', async () => {
    const { session, commands, persona } = await hold('android-phone');
    const digits = pinDigits('1234');
    const opened = await openPhone(session, digits, options);
    expect(opened).toMatchObject({
      ok: true,
      value: {
        type: 'verified',
        identity: {
          kind: 'android-phone',
          certificateSerial: persona.serial,
          certificateState: 'valid',
          visual: { state: 'unavailable', code: 'card.photo-absent' },
        },
      },
    });
    expect([...bytesOf(digits)]).toEqual([0, 0, 0, 0]);
    const steps = commands.map((command) =>
      isVerify(command)
        ? 'VERIFY'
        : command === '00200080'
          ? 'counter'
          : command.startsWith('00A4020C')
            ? command.slice(10)
            : '',
    );
    expect(steps.filter((step) => step !== '')).toEqual(['0006', '0018', 'counter', 'VERIFY', '000A']);
    const sha256 = new Uint8Array(32).fill(7);
    const signature = await signWithAuthKey(session, sha256);
    if (!opened.ok || opened.value.type !== 'verified' || !signature.ok) throw new Error('not signed');
    const certificate = parseCertificate(opened.value.identity.authCertificate);
    if (!certificate.ok || certificate.value.publicKey.type !== 'rsa') throw new Error('no certificate');
    const { key } = certificate.value.publicKey;
    expect(verifyRsaSignature(cardCryptography, key, sha256DigestInfo(sha256), signature.value)).toBe(true);
    expect(commands.slice(commands.findIndex(isVerify)).filter((command) => command.startsWith('00A404'))).toEqual([]);
  });

  test('a wrong PIN costs one try, and tells how many are left', async () => {
    const { session, card } = await hold('android-phone');
    expect(await openPhone(session, pinDigits('0000'), options)).toMatchObject({
      value: { type: 'wrong', triesLeft: 2 },
    });
    expect(card.verifyCount).toBe(1);
  });

  test('its last try is not spent without a yes; a blocked one is not asked', async () => {
    const { session, card } = await hold('android-phone');
    for (const wrong of ['0000', '0001']) await openPhone(session, pinDigits(wrong), options);
    const digits = pinDigits('0002');
    expect(await openPhone(session, digits, options)).toMatchObject({ value: { type: 'last-try-not-confirmed' } });
    expect([...bytesOf(digits), card.verifyCount]).toEqual([0, 0, 0, 0, 2]);
    const last = await openPhone(session, pinDigits('0003'), { ...options, lastTryConfirmed: true });
    expect(last).toMatchObject({ value: { type: 'blocked' } });
    expect(await openPhone(session, pinDigits('1234'), options)).toMatchObject({ value: { type: 'blocked' } });
    expect(card.verifyCount).toBe(3);
  });
});

describe('whatever else lies on the reader for phones', () => {
  test.each([
    ['iphone', 'card.phone-not-android'],
    ['empty-phone', 'card.not-my-number'],
    ['old-juki', 'card.old-juki'],
    ['driving-licence', 'card.not-my-number'],
    ['residence-card', 'card.not-my-number'],
  ])('%s: %s, and it is never sent the digits', async (id, code) => {
    const { session, commands } = await hold(id);
    const digits = pinDigits('1234');
    expect(await openPhone(session, digits, options)).toMatchObject({ ok: false, failure: { code } });
    expect(commands.filter(isVerify)).toEqual([]);
    expect([...bytesOf(digits)]).toEqual([0, 0, 0, 0]);
  });

  test.each(['hanako', 'face-only'])('%s: told to be a card, and it is never sent the digits', async (id) => {
    const { session, commands } = await hold(id);
    const digits = pinDigits('1234');
    expect(await openPhone(session, digits, options)).toEqual({ ok: true, value: { type: 'card' } });
    expect(commands.filter(isVerify)).toEqual([]);
    expect([...bytesOf(digits)]).toEqual([0, 0, 0, 0]);
  });

  test('taken away before it is asked: no VERIFY, no digit left', async () => {
    const { session, reader, card } = await hold('android-phone');
    const digits = pinDigits('1234');
    const opened = openPhone(session, digits, options);
    reader.pull();
    expect(await opened).toMatchObject({ ok: false, failure: { code: 'card.removed' } });
    expect([...bytesOf(digits), card.verifyCount]).toEqual([0, 0, 0, 0, 0]);
  });
});
