import { CompactEncrypt, CompactSign } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { facility, makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import { openSealed, openSigned, seal, sign } from '../../src/trust/seal.ts';
import { receiptSchema } from '../../src/wire/messages.ts';

let made: TestFacility;
beforeAll(async () => {
  made = await makeTestFacility();
});
afterAll(() => made.remove());

const receipt = {
  facility,
  device: 'front-1',
  requestId: '7b1c0c4e-6d0a-4f6e-9a55-2f6f0a4f7a11',
  documentHash: `${'a'.repeat(42)}A`,
  receivedAt: 1,
  agent: 'agent-1',
  verdict: 'accepted',
} as const;
const addressee = { facility, device: 'front-1' };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);
const open = (message: Uint8Array, kind: 'receipt' | 'result' = 'receipt') =>
  openSigned(kind, message, receiptSchema, made.agent.agents, addressee);

describe('signed', () => {
  test('comes back with its signer', async () => {
    const opened = await open(await sign('receipt', receipt, made.agent.signing));
    expect(opened).toEqual({ ok: true, value: { message: receipt, signer: 'agent-1' } });
  });

  test('made for another topic, device or facility, or by another key: forged', async () => {
    const refused = { ok: false, failure: { code: 'message.forged' } };
    expect(await open(await sign('receipt', receipt, made.agent.signing), 'result')).toMatchObject(refused);
    for (const other of [{ device: 'front-2' }, { facility: 'other' }])
      expect(await open(await sign('receipt', { ...receipt, ...other }, made.agent.signing))).toMatchObject(refused);
    expect(await open(await sign('receipt', receipt, made.device.signing))).toMatchObject(refused);
    const borrowed = { ...made.device.signing, kid: made.agent.signing.kid };
    expect(await open(await sign('receipt', receipt, borrowed))).toMatchObject(refused);
  });

  test('a payload outside the schema, other header fields, other algorithms: malformed or forged, never accepted', async () => {
    const payload = bytes(JSON.stringify(receipt));
    const { key, kid } = made.agent.signing;
    const headers = [
      { alg: 'ES256', kid },
      { alg: 'ES256', typ: 'uketsuke-receipt', kid, crit: ['b64'], b64: true },
      { alg: 'ES256', typ: 'uketsuke-receipt', kid, jku: 'https://example.invalid' },
    ];
    for (const header of headers) {
      const made_ = await new CompactSign(payload).setProtectedHeader(header).sign(key);
      expect((await open(bytes(made_))).ok).toBe(false);
    }
    for (const wrong of [{ ...receipt, name: 'x' }, { ...receipt, verdict: 'maybe' }, {}])
      expect(await open(await sign('receipt', wrong, made.agent.signing))).toMatchObject({
        failure: { code: 'message.malformed' },
      });
    const none = `${Buffer.from('{"alg":"none","typ":"uketsuke-receipt","kid":"x"}').toString('base64url')}.${Buffer.from(payload).toString('base64url')}.`;
    expect((await open(bytes(none))).ok).toBe(false);
  });

  test('cut off or flipped anywhere: refused', async () => {
    const message = await sign('receipt', receipt, made.agent.signing);
    for (let length = 0; length < message.length; length += 13)
      expect((await open(message.slice(0, length))).ok).toBe(false);
    for (let at = 0; at < message.length; at += 7) {
      const flipped = message.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect((await open(flipped)).ok, `byte ${at}`).toBe(false);
    }
  });
});

describe('sealed', () => {
  const plain = bytes('nothing of this is readable');
  const facilityKey = () => {
    const key = made.device.facilityKeys[0];
    if (key === undefined) throw new Error('no key');
    return key;
  };

  test("comes back with the facility's key only, and never looks the same twice", async () => {
    const [a, b] = [await seal('request', plain, facilityKey()), await seal('request', plain, facilityKey())];
    expect(text(a)).not.toBe(text(b));
    expect(await openSealed('request', a, made.agent.sealing)).toEqual({ ok: true, value: plain });
    expect(await openSealed('request', a, [made.device.sealing])).toMatchObject({
      failure: { code: 'message.forged' },
    });
    expect(await openSealed('lookup', a, made.agent.sealing)).toMatchObject({ failure: { code: 'message.forged' } });
  });

  test('a key rolled on: what was sealed to the retired one still opens, to a foreign one of the same kid not', async () => {
    const [current] = made.agent.sealing;
    if (current === undefined) throw new Error('no key');
    const sealed = await seal('request', plain, facilityKey());
    expect((await openSealed('request', sealed, [made.device.sealing, current])).ok).toBe(true);
    expect((await openSealed('request', sealed, [{ ...made.device.sealing, kid: current.kid }])).ok).toBe(false);
  });

  test('other algorithms and header fields are refused', async () => {
    const header = { alg: 'ECDH-ES', enc: 'A256GCM', typ: 'uketsuke-request', kid: facilityKey().kid };
    for (const other of [
      { ...header, enc: 'A128GCM' },
      { ...header, zip: 'DEF' },
      { ...header, alg: 'ECDH-ES+A256KW' },
    ]) {
      const sealed = await new CompactEncrypt(plain)
        .setProtectedHeader(other)
        .encrypt(facilityKey().key)
        .catch(() => null);
      if (sealed !== null) expect((await openSealed('request', bytes(sealed), made.agent.sealing)).ok).toBe(false);
    }
  });

  test('cut off or flipped anywhere: refused', async () => {
    const sealed = await seal('request', plain, facilityKey());
    for (let at = 0; at < sealed.length; at += 5) {
      const flipped = sealed.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect((await openSealed('request', flipped, made.agent.sealing)).ok, `byte ${at}`).toBe(false);
      expect((await openSealed('request', sealed.slice(0, at), made.agent.sealing)).ok).toBe(false);
    }
  });
});
