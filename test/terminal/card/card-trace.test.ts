import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { replayTrace } from '../../../drivers/virtual/replay-session.ts';
import { caCertificateDer, ensureTestAuthority } from '../../../drivers/virtual/test-authority.ts';
import type { VirtualCard } from '../../../drivers/virtual/virtual-card.ts';
import { pinBytes, pinDigits, readTestCard, testCard } from '../../../scripts/beds/test-cards.ts';
import { ok } from '../../../src/core/result.ts';
import type { CardSession } from '../../../src/ports/card-reader.ts';
import { concatBytes, toHex } from '../../../src/protocol/bytes.ts';
import {
  diffTraces,
  formatTrace,
  parseRawTrace,
  parseTrace,
  type TraceLine,
} from '../../../src/protocol/card/card-trace.ts';
import { recordTrace } from '../../../src/terminal/card/record-trace.ts';
import { provePresence, signWithAuthKey, verifyPin } from '../../../src/terminal/card/use-card-keys.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';

const sessionOf = (
  card: VirtualCard,
  quirk: (answer: Uint8Array, command: Uint8Array) => Uint8Array = (answer) => answer,
): CardSession => ({
  id: 'trace',
  atr: card.atr,
  transmit: async (command) => ok(quirk(card.transmit(command), command)),
  end: async () => undefined,
});

/** Everything our code does with a card, and its trace. */
const visit = async (session: CardSession, made: Awaited<ReturnType<typeof testCard>>) => {
  const lines: TraceLine[] = [];
  const recorded = recordTrace(session, cardCryptography.sha256, (line) => lines.push(line));
  const reading = await readTestCard(recorded, made, { withIssuerCertificate: true });
  await provePresence(recorded, new Uint8Array(32));
  const pin = await verifyPin(recorded, pinDigits(made.persona.pins.auth?.secret ?? ''));
  const signature = await signWithAuthKey(recorded, new Uint8Array(32));
  return { lines, reading, pin, signature };
};

describe('a trace', () => {
  test('holds nothing personal: no PIN, number, name, birth date, photo, certificate or signature, nor a guessable hash', async () => {
    const made = await testCard('hanako');
    const { lines, reading, signature } = await visit(sessionOf(made.card), made);
    if (!reading.ok || !signature.ok || reading.value.identity.visual.state !== 'read') throw new Error('not read');
    const text = formatTrace(lines);
    const { authCertificate, visual } = reading.value.identity;
    const ascii = (value: string): string => toHex(new TextEncoder().encode(value));
    const secrets = {
      number: ascii(made.printedNumberB ?? ''),
      'hash of the number': toHex(cardCryptography.sha256(new TextEncoder().encode(made.printedNumberB ?? ''))),
      pin: ascii('1234'),
      'hash of the PIN': toHex(cardCryptography.sha256(pinBytes('1234'))),
      'birth date': ascii(made.persona.person.birthDate),
      name: toHex(new TextEncoder().encode(made.persona.person.name)),
      photo: toHex(reading.value.photoJp2?.slice(100, 116) ?? new Uint8Array()),
      certificate: toHex(authCertificate.slice(200, 216)),
      serial: made.persona.serial,
      evidence: toHex(visual.evidence.df28.slice(0, 16)),
      signature: toHex(signature.value.slice(0, 16)),
    };
    for (const [name, hex] of Object.entries(secrets)) {
      expect(hex.length, name).toBeGreaterThan(0);
      expect(text.includes(hex), name).toBe(false);
    }
    // What helps a technician is there.
    expect(text).toContain(toHex(new TextEncoder().encode('JPKIAPICCTOKEN2')));
    expect(lines.filter(({ header }) => header === '00200080').map(({ body }) => body)).toEqual([
      undefined,
      undefined,
      { length: 14 },
      undefined,
      { length: 4 },
    ]);
  });

  test('is read back as it was written', async () => {
    const made = await testCard('hanako');
    const { lines } = await visit(sessionOf(made.card), made);
    expect(parseTrace(formatTrace(lines))).toEqual(lines);
    for (const wrong of ['{}', '{"header":"00"}', 'x', '[]']) expect(() => parseTrace(wrong)).toThrow();
    expect(() => parseRawTrace('{"command":"0"}')).toThrow();
  });

  test('replayed, drives the same code to the same end', async () => {
    const made = await testCard('hanako');
    const { lines } = await visit(sessionOf(made.card), made);
    const stand = await testCard('hanako');
    const session = replayTrace(lines, stand.card);
    const again = await visit(session, stand);
    expect(again.pin).toEqual({ ok: true, value: { type: 'verified' } });
    expect(again.reading).toMatchObject({ ok: true, value: { identity: { visual: { state: 'read' } } } });
    expect(session.divergences()).toEqual([]);
  });

  test('of a card with quirks brings the quirks back: 6Cxx and a blocked PIN', async () => {
    const made = await testCard('hanako');
    const quirk = (answer: Uint8Array, command: Uint8Array): Uint8Array => {
      if (command[1] === 0x20 && command.length === 4 && answer.at(-1) === 0xc3) return Uint8Array.of(0x69, 0x84);
      return command[1] === 0xb0 && command[4] === 0x20 ? Uint8Array.of(0x6c, 0x10) : answer;
    };
    const blocked = await visit(sessionOf(made.card, quirk), made);
    expect(blocked.reading).toMatchObject({ ok: true, value: { identity: { pin: { state: 'blocked' } } } });
    expect(blocked.lines.map(({ statusWord }) => statusWord)).toContain('6C10');
    const stand = await testCard('hanako');
    const session = replayTrace(blocked.lines, stand.card);
    const again = await visit(session, stand);
    expect(again.reading).toMatchObject({ ok: true, value: { identity: { pin: { state: 'blocked' } } } });
    expect(session.divergences()).toEqual([]);
  });

  test('tells when the code does something else than then', async () => {
    const made = await testCard('hanako');
    const { lines } = await visit(sessionOf(made.card), made);
    const stand = await testCard('hanako');
    const session = replayTrace(lines, stand.card);
    await readTestCard(session, stand, { cardFrontReader: null });
    expect(session.divergences().length).toBeGreaterThan(0);
  });

  test('of two people differs in the answers alone', async () => {
    const [a, b] = [await testCard('hanako'), await testCard('revoked')];
    const [first, second] = [await visit(sessionOf(a.card), a), await visit(sessionOf(b.card), b)];
    const differences = diffTraces(first.lines, second.lines);
    expect(diffTraces(first.lines, first.lines)).toEqual([]);
    expect(differences.length).toBeGreaterThan(0);
    expect(new Set(differences.map(({ what }) => what)).has('status word')).toBe(false);
    expect(diffTraces(first.lines, first.lines.slice(1)).at(-1)).toMatchObject({ what: 'missing' });
  });

  test('of bytes that are no APDU keeps nothing', () => {
    const raw = parseRawTrace('{"command":"00","response":"9000"}\n{"command":"00B00000FF","response":"41429000"}');
    expect(raw).toHaveLength(2);
    expect(concatBytes(...raw.map(({ response }) => response)).length).toBe(6);
  });
});

test('whenever the test authority is made, the instants in its certificate hold no PIN of its cards', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-authority-'));
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.UTC(2026, 10, 30, 11, 23, 45));
  try {
    const made = await ensureTestAuthority(join(directory, 'authority'));
    expect(toHex(caCertificateDer(made))).not.toContain(toHex(pinBytes('1234')));
  } finally {
    now.mockRestore();
    rmSync(directory, { recursive: true, force: true });
  }
});
