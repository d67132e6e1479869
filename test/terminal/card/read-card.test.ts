import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createVirtualCardReader } from '../../../drivers/virtual/virtual-card-reader.ts';
import {
  authority,
  bytesOf,
  pinBytes,
  pinDigits,
  readOptions,
  readTestCard,
  testCard,
  trustedCvIssuers,
} from '../../../scripts/beds/test-cards.ts';
import { failure } from '../../../src/core/failure.ts';
import { err, ok } from '../../../src/core/result.ts';
import { graceEndMs } from '../../../src/core/visit/certificate-state.ts';
import type { CardSession } from '../../../src/ports/card-reader.ts';
import { parseCertificate } from '../../../src/protocol/card/certificate.ts';
import { sha256DigestInfo, verifyRsaSignature } from '../../../src/protocol/card/digest-info.ts';
import { checkPresenceProof, checkVisualEvidence } from '../../../src/protocol/card/visual-ap.ts';
import { openCard, readPinState } from '../../../src/terminal/card/read-card.ts';
import { provePresence, signWithAuthKey, verifyPin } from '../../../src/terminal/card/use-card-keys.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';

/** A persona's card on the bed of the virtual reader, with every APDU it was sent. */
const lay = async (id: string, wallMs?: number) => {
  const commands: Uint8Array[] = [];
  const reader = createVirtualCardReader({
    onApdu: ({ phase, command }) => {
      if (phase === 'before') commands.push(command.slice());
    },
  });
  const made = await testCard(id, wallMs);
  const sessions: CardSession[] = [];
  reader.subscribe((event) => {
    if (event.type === 'card-inserted') sessions.push(event.session);
  });
  reader.insert(made.card);
  const session = sessions[0];
  if (session === undefined) throw new Error('no session');
  return { reader, made, session, commands, sessions };
};

const digest = new Uint8Array(32).fill(0x5a);

describe('reading a card', () => {
  test('a valid card: certificate, PIN tries, proven photo', async () => {
    const { session, made } = await lay('hanako');
    const reading = await readTestCard(session, made);
    if (!reading.ok) throw new Error(reading.failure.code);
    const { identity, photoJp2, issuerCertificate } = reading.value;
    expect(identity).toMatchObject({
      kind: 'my-number-card',
      certificateSerial: made.persona.serial,
      certificateState: 'valid',
      pin: { state: 'usable', triesLeft: 3 },
      visual: { state: 'read' },
    });
    expect(issuerCertificate).toBeNull();
    expect(photoJp2?.subarray(4, 8)).toEqual(new TextEncoder().encode('jP  '));
    if (identity.visual.state !== 'read') throw new Error('no photo');
    expect(checkVisualEvidence(identity.visual.evidence, trustedCvIssuers, cardCryptography)).toMatchObject({
      ok: true,
      value: { birthDate: made.persona.person.birthDate, sex: made.persona.person.sex },
    });
    const certificate = new X509Certificate(identity.authCertificate);
    expect(certificate.verify(new X509Certificate(authority.caCertificatePem).publicKey)).toBe(true);
  });

  test('the issuer certificate is read when asked for', async () => {
    const { session, made } = await lay('hanako');
    const reading = await readTestCard(session, made, { withIssuerCertificate: true });
    const der = reading.ok ? reading.value.issuerCertificate : null;
    expect(der && new X509Certificate(der).subject).toBe(new X509Certificate(authority.caCertificatePem).subject);
  });

  test.each([
    ['near-expiry', { certificateState: 'near-expiry' }],
    ['grace', { certificateState: 'grace' }],
    ['dead', { certificateState: 'dead' }],
    ['revoked', { certificateState: 'valid' }],
    ['pin-blocked', { pin: { state: 'blocked' } }],
    ['face-only', { pin: { state: 'absent' }, visual: { state: 'read' } }],
    ['no-photo', { visual: { state: 'unavailable', code: 'card.photo-absent' } }],
  ])('persona %s', async (id, identity) => {
    const { session, made } = await lay(id);
    expect(await readTestCard(session, made)).toMatchObject({ ok: true, value: { identity } });
  });

  test.each([
    ['driving-licence', { code: 'card.not-my-number', detail: 'driving licence' }],
    ['residence-card', { code: 'card.not-my-number', detail: 'residence card' }],
    ['old-juki', { code: 'card.old-juki' }],
    ['android-phone', { code: 'card.phone-not-supported' }],
  ])('%s is refused by name', async (id, failed) => {
    const { session, made } = await lay(id);
    expect(await readTestCard(session, made)).toMatchObject({ ok: false, failure: failed });
  });

  test('no byte of a file is read twice', async () => {
    const { session, made, commands } = await lay('hanako');
    await readTestCard(session, made);
    const seen = new Set<string>();
    let file = '';
    for (const command of commands) {
      if (command[1] === 0xa4) file = Buffer.from(command).toString('hex');
      if (command[1] !== 0xb0) continue;
      const offset = ((command[2] ?? 0) << 8) | (command[3] ?? 0);
      const length = command[4] === 0 ? 256 : (command[4] ?? 0);
      for (let at = offset; at < offset + length; at++) {
        expect(seen.has(`${file} ${at}`)).toBe(false);
        seen.add(`${file} ${at}`);
      }
    }
    expect(seen.size).toBeGreaterThan(15_000);
  });

  test('a certificate from the future is refused and the clock suspected', async () => {
    const { session, made } = await lay('hanako');
    const reading = await readTestCard(session, made, { wallMs: Date.parse('2010-01-01T00:00:00Z') });
    expect(reading).toMatchObject({ ok: false, failure: { code: 'card.certificate-invalid' } });
  });

  test('one instant before and after the end of the grace', async () => {
    const { session, made } = await lay('grace');
    const first = await readTestCard(session, made);
    if (!first.ok) throw new Error(first.failure.code);
    const end = graceEndMs(first.value.identity.certificateNotAfterMs);
    expect(await readTestCard(session, made, { wallMs: end })).toMatchObject({
      value: { identity: { certificateState: 'grace' } },
    });
    expect(await readTestCard(session, made, { wallMs: end + 1 })).toMatchObject({
      value: { identity: { certificateState: 'dead' } },
    });
  });
});

describe('the printed number', () => {
  const verifies = (commands: readonly Uint8Array[]) =>
    commands.filter((command) => command[1] === 0x20 && command.length > 4);

  test('a wrong one is spent once and closes the face path', async () => {
    const { session, made, commands } = await lay('hanako');
    const wrong = { ...made, printedNumberB: '55021720352286' };
    const visual = { state: 'unavailable', code: 'card.number-b-wrong' };
    wrong.printedNumberB = `${made.printedNumberB?.slice(0, 10)}0001`;
    expect(await readTestCard(session, wrong)).toMatchObject({
      ok: true,
      value: { photoJp2: null, identity: { visual } },
    });
    expect(verifies(commands)).toHaveLength(1);
    // Put back in the same visit: not even the right one is tried.
    expect(await readTestCard(session, made, { numberBWrongBefore: true })).toMatchObject({
      ok: true,
      value: { identity: { visual } },
    });
    expect(verifies(commands)).toHaveLength(1);
  });

  test('at five tries left none is spent', async () => {
    const { session, made, commands } = await lay('hanako');
    const wrong = { ...made, printedNumberB: `${made.printedNumberB?.slice(0, 10)}0001` };
    for (let spent = 0; spent < 5; spent++) await readTestCard(session, wrong);
    expect(verifies(commands)).toHaveLength(5);
    expect(await readTestCard(session, made)).toMatchObject({
      ok: true,
      value: { identity: { visual: { state: 'unavailable', code: 'card.number-b-tries-low' } } },
    });
    expect(verifies(commands)).toHaveLength(5);
  });

  test.each([null, '55021720352', '55993920352285', '99021720352285'])('%s is not tried', async (printedNumberB) => {
    const { session, made, commands } = await lay('hanako');
    expect(await readTestCard(session, { ...made, printedNumberB })).toMatchObject({
      ok: true,
      value: {
        identity: { pin: { triesLeft: 3 }, visual: { state: 'unavailable', code: 'card.number-b-unreadable' } },
      },
    });
    expect(verifies(commands)).toHaveLength(0);
  });

  test('without a second camera the card is read all the same', async () => {
    const { session, made, commands } = await lay('hanako');
    expect(await readTestCard(session, made, { cardFrontReader: null })).toMatchObject({ ok: true });
    expect(verifies(commands)).toHaveLength(0);
  });

  test('its bytes are overwritten', async () => {
    const { session, made } = await lay('hanako');
    const number = pinBytes(made.printedNumberB ?? '');
    const cardFrontReader = {
      readVerificationNumberB: async () => ({ ok: true, value: number }) as const,
      close: async () => undefined,
    };
    expect(await readTestCard(session, made, { cardFrontReader })).toMatchObject({
      value: { identity: { visual: { state: 'read' } } },
    });
    expect(number).toEqual(new Uint8Array(14));
  });

  test('the card pulled while the number is looked for ends the search', async () => {
    const { session, made, reader } = await lay('hanako');
    let searchEnded = false;
    const cardFrontReader = {
      readVerificationNumberB: (signal: AbortSignal) =>
        new Promise<ReturnType<typeof err>>((resolve) => {
          signal.addEventListener('abort', () => {
            searchEnded = true;
            resolve(err(failure('card.number-b-unreadable')));
          });
          reader.pull();
        }),
      close: async () => undefined,
    };
    const reading = await readTestCard(session, made, { cardFrontReader: cardFrontReader as never });
    expect(reading).toMatchObject({ ok: false, failure: { code: 'card.removed' } });
    expect(searchEnded).toBe(true);
  });
});

describe('PIN and keys', () => {
  test('verified, then signed; the signature verifies with the certificate', async () => {
    const { session, made } = await lay('hanako');
    const reading = await readTestCard(session, made);
    if (!reading.ok) throw new Error(reading.failure.code);
    const digits = pinDigits('1234');
    expect(await verifyPin(session, digits)).toEqual({ ok: true, value: { type: 'verified' } });
    expect([...bytesOf(digits)]).toEqual([0, 0, 0, 0]);
    const signature = await signWithAuthKey(session, digest);
    const certificate = parseCertificate(reading.value.identity.authCertificate);
    if (!signature.ok || !certificate.ok || certificate.value.publicKey.type !== 'rsa') throw new Error('no signature');
    expect(
      verifyRsaSignature(cardCryptography, certificate.value.publicKey.key, sha256DigestInfo(digest), signature.value),
    ).toBe(true);
  });

  test('wrong, wrong, and the last try only with a yes of its own', async () => {
    const { session, made } = await lay('hanako');
    expect(await verifyPin(session, pinDigits('0000'))).toEqual({ ok: true, value: { type: 'wrong', triesLeft: 2 } });
    expect(await verifyPin(session, pinDigits('0000'))).toEqual({ ok: true, value: { type: 'wrong', triesLeft: 1 } });
    const spent = made.card.verifyCount;
    expect(await verifyPin(session, pinDigits('1234'))).toEqual({
      ok: true,
      value: { type: 'last-try-not-confirmed' },
    });
    expect(made.card.verifyCount).toBe(spent);
    expect(await readPinState(session)).toEqual({ ok: true, value: { state: 'usable', triesLeft: 1 } });
    expect(await verifyPin(session, pinDigits('0000'), { lastTryConfirmed: true })).toEqual({
      ok: true,
      value: { type: 'blocked' },
    });
    expect(await verifyPin(session, pinDigits('1234'), { lastTryConfirmed: true })).toEqual({
      ok: true,
      value: { type: 'blocked' },
    });
    expect(made.card.verifyCount).toBe(spent + 1);
  });

  test.each(['123', '12a4', ''])('%s is no PIN: the card is not asked', async (typed) => {
    const { session, commands } = await lay('hanako');
    const digits = pinDigits(typed);
    expect(await verifyPin(session, digits)).toMatchObject({ ok: false, failure: { code: 'card.pin-wrong' } });
    expect([...bytesOf(digits)]).toEqual([0, 0, 0, 0]);
    expect(commands).toHaveLength(0);
  });

  test('a card without a PIN says so', async () => {
    const { session } = await lay('face-only');
    expect(await verifyPin(session, pinDigits('1234'))).toMatchObject({
      ok: false,
      failure: { code: 'card.pin-absent' },
    });
  });

  test('anything that selects an application forgets the PIN', async () => {
    const { session } = await lay('hanako');
    await verifyPin(session, pinDigits('1234'));
    await readPinState(session);
    expect(await signWithAuthKey(session, digest)).toMatchObject({
      ok: false,
      failure: { code: 'card.security-status-lost' },
    });
  });

  test('the presence proof verifies with the key of the signed visual record', async () => {
    const { session, made } = await lay('hanako');
    const reading = await readTestCard(session, made);
    if (!reading.ok || reading.value.identity.visual.state !== 'read') throw new Error('no photo');
    const proven = checkVisualEvidence(reading.value.identity.visual.evidence, trustedCvIssuers, cardCryptography);
    const proof = await provePresence(session, digest);
    if (!proof.ok || !proven.ok) throw new Error('no proof');
    expect(checkPresenceProof(proven.value.publicKey, digest, proof.value, cardCryptography).ok).toBe(true);
    expect(checkPresenceProof(proven.value.publicKey, new Uint8Array(32), proof.value, cardCryptography)).toMatchObject(
      {
        ok: false,
        failure: { code: 'card.presence-proof-failed' },
      },
    );
  });
});

test('nothing we send names the sign key, its password or the 12-digit number', async () => {
  const { session, made, commands } = await lay('hanako');
  await readTestCard(session, made, { withIssuerCertificate: true });
  await readPinState(session);
  await provePresence(session, digest);
  await verifyPin(session, pinDigits('1234'));
  await signWithAuthKey(session, digest);
  const selected = commands
    .filter((command) => command[1] === 0xa4)
    .map((command) => Buffer.from(command.slice(5)).toString('hex'));
  const allowed = {
    d392f000260100000001: ['0006', '000a', '000b', '0017', '0018'],
    d3921000310001010402: ['0002', '0004', '0012'],
  } as const;
  let files: readonly string[] = [];
  const used = new Set<string>();
  for (const selection of selected) {
    if (selection.length > 4) {
      expect(Object.keys(allowed)).toContain(selection);
      files = allowed[selection as keyof typeof allowed];
      continue;
    }
    expect(files).toContain(selection);
    used.add(selection);
  }
  // The walk covered every file that we have a use for.
  expect([...used].sort()).toEqual(['0002', '0004', '0006', '000a', '000b', '0012', '0017', '0018']);
});

test('a PIN sent while the visual record is still read waits for its turn: no VERIFY on another counter', async () => {
  const { session, made, commands } = await lay('hanako');
  let tellNumber: (number: Uint8Array) => void = () => undefined;
  const printed = new Promise<Uint8Array>((resolve) => {
    tellNumber = resolve;
  });
  const cardFrontReader = { readVerificationNumberB: async () => ok(await printed), close: async () => undefined };
  const opened = await openCard(session, readOptions(null, { cardFrontReader }));
  if (!opened.ok) throw new Error(opened.failure.code);
  const visual = opened.value.readVisual();
  const pin = verifyPin(session, pinDigits('1234'));
  const signature = signWithAuthKey(session, digest);
  tellNumber(pinBytes(made.printedNumberB ?? ''));
  expect(await visual).toMatchObject({ ok: true, value: { visual: { state: 'read' } } });
  expect(await pin).toEqual({ ok: true, value: { type: 'verified' } });
  expect(await signature).toMatchObject({ ok: true });
  const verified = commands.filter((command) => command[1] === 0x20 && command.length > 4).map((command) => command[4]);
  expect(verified).toEqual([14, 4]);
});
