import { CompactEncrypt, CompactSign, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { facility, makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import {
  openPaper,
  openSealed,
  openSealedAndSigned,
  openSigned,
  seal,
  sign,
  signAndSeal,
  signerOf,
} from '../../src/trust/seal.ts';
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
    expect(await open(await sign('receipt', [receipt], made.agent.signing))).toMatchObject({
      failure: { code: 'message.malformed', detail: 'receipt: shape' },
    });
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

describe('what else is asked of a signed message', () => {
  /** What the product would never sign itself. */
  const signRaw = async (payload: string | Uint8Array, header: object = {}) =>
    bytes(
      await new CompactSign(typeof payload === 'string' ? bytes(payload) : payload)
        .setProtectedHeader({ alg: 'ES256', typ: 'uketsuke-receipt', kid: made.agent.signing.kid, ...header })
        .sign(made.agent.signing.key),
    );
  const code = async (message: Uint8Array) => {
    const opened = await open(message);
    return opened.ok ? 'opened' : opened.failure.code;
  };

  test('96 kB are read, one byte more is not', async () => {
    const content = JSON.stringify(receipt);
    const sized = async (length: number): Promise<Uint8Array> => {
      const bare = (await signRaw(content)).length;
      const about = content.length + Math.floor(((length - bare) * 3) / 4);
      for (let blanks = about - 4; blanks < about + 4; blanks += 1) {
        const message = await signRaw(content.padEnd(blanks));
        if (message.length >= length) return message;
      }
      throw new Error(`no message of ${length} bytes`);
    };
    // Base64 has no length of 4n + 1; what is one too long has its first that is longer.
    const [longest, tooLong] = [await sized(96 * 1_024 - 2), await sized(96 * 1_024 + 1)];
    expect(longest.length).toBeLessThanOrEqual(96 * 1_024);
    expect(longest.length).toBeGreaterThan(96 * 1_024 - 3);
    expect(await code(longest)).toBe('opened');
    expect(await code(tooLong)).toBe('message.malformed');
  });

  test('the last length that is read is read to the byte', async () => {
    // Letters of its own length in the header: what base64 leaves out is made up for by the name of the key.
    const sizes: number[] = [];
    for (const more of [0, 1, 2, 3]) {
      const kid = `${'k'.repeat(40)}${'i'.repeat(more)}`;
      const signing = { ...made.agent.signing, kid };
      const keys = made.agent.agents.map((key) => ({ ...key, kid }));
      const content = JSON.stringify(receipt);
      const signRaw = async (blanks: number) =>
        bytes(
          await new CompactSign(bytes(content.padEnd(content.length + blanks)))
            .setProtectedHeader({ alg: 'ES256', typ: 'uketsuke-receipt', kid })
            .sign(signing.key),
        );
      const about = Math.floor(((96 * 1_024 - (await signRaw(0)).length) * 3) / 4);
      for (let blanks = about - 2; blanks <= about + 3; blanks += 1) {
        const message = await signRaw(blanks);
        const opened = await openSigned('receipt', message, receiptSchema, keys, addressee);
        expect(opened.ok, `${message.length}`).toBe(message.length <= 96 * 1_024);
        sizes.push(message.length);
      }
    }
    expect(sizes).toContain(96 * 1_024);
    expect(sizes).toContain(96 * 1_024 + 1);
  });

  test('another kid, or one field in the place of another: malformed or forged', async () => {
    const content = JSON.stringify(receipt);
    expect(await code(await signRaw(content))).toBe('opened');
    expect(await code(await signRaw(content, { kid: 'nobody' }))).toBe('message.forged');
    const { alg, typ, kid } = { alg: 'ES256', typ: 'uketsuke-receipt', kid: made.agent.signing.kid };
    for (const header of [
      { alg, typ, cty: kid },
      { alg, kid, cty: typ },
    ]) {
      const message = await new CompactSign(bytes(content)).setProtectedHeader(header).sign(made.agent.signing.key);
      expect(await code(bytes(message))).toBe('message.malformed');
    }
  });

  test('what is no UTF-8, in the message or in what it carries: malformed', async () => {
    const notText = bytes(JSON.stringify({ ...receipt, agent: 'agent-?' })).map((byte) =>
      byte === 0x3f ? 0xff : byte,
    );
    expect(await code(await signRaw(notText))).toBe('message.malformed');
    expect(await code(await signRaw('no JSON'))).toBe('message.malformed');
    const message = await sign('receipt', receipt, made.agent.signing);
    message[message.length - 1] = 0xff;
    expect(await code(message)).toBe('message.malformed');
  });

  test('names its signer before anything is verified; none, where none of the keys is meant', async () => {
    const message = text(await sign('receipt', receipt, made.agent.signing));
    expect(signerOf(message, made.agent.agents)).toBe('agent-1');
    expect(signerOf(message, [{ ...made.device.signing, owner: 'front-1' }])).toBeUndefined();
    expect(signerOf(message, [{ ...made.device.signing, owner: 'front-1' }, ...made.agent.agents])).toBe('agent-1');
    for (const nothing of ['', 'a.b.c']) expect(signerOf(nothing, made.agent.agents)).toBeUndefined();
  });

  test('keys that a schema does not know are overlooked where that is allowed, and told; nothing else is', async () => {
    const openKnown = async (message: object) => {
      const told: string[] = [];
      const opened = await openSigned(
        ...(['receipt', await sign('receipt', message, made.agent.signing), receiptSchema] as const),
        ...([made.agent.agents, addressee, (keys: readonly string[]) => void told.push('told', ...keys)] as const),
      );
      return [opened.ok ? opened.value.message : opened.failure.code, ...told];
    };
    expect(await openKnown(receipt)).toEqual([receipt]);
    expect(await openKnown({ ...receipt, later: 1 })).toEqual([receipt, 'told', 'later']);
    expect(await openKnown({ ...receipt, verdict: 'maybe' })).toEqual(['message.malformed']);
    expect(await openKnown({ ...receipt, device: 'front-2', later: 1 })).toEqual(['message.forged', 'told', 'later']);
  });

  test('another algorithm, with a key of its own, is not believed', async () => {
    const { publicKey, privateKey } = await generateKeyPair('PS256');
    const { kid } = made.agent.signing;
    const message = await new CompactSign(bytes(JSON.stringify(receipt)))
      .setProtectedHeader({ alg: 'PS256', typ: 'uketsuke-receipt', kid })
      .sign(privateKey);
    const keys = [{ owner: 'agent-1', kid, key: publicKey }];
    expect(await openSigned('receipt', bytes(message), receiptSchema, keys, addressee)).toMatchObject({
      failure: { code: 'message.forged' },
    });
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
    expect(await openSealed('request', sealed, [{ ...made.device.sealing, kid: current.kid }])).toMatchObject({
      failure: { code: 'message.forged' },
    });
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

  test('96 kB are opened, more is not', async () => {
    const sized = async (length: number): Promise<Uint8Array> => {
      const bare = (await seal('request', new Uint8Array(), facilityKey())).length;
      const about = Math.floor(((length - bare) * 3) / 4);
      for (let size = about - 4; size < about + 4; size += 1) {
        const sealed = await seal('request', new Uint8Array(size), facilityKey());
        if (sealed.length >= length) return sealed;
      }
      throw new Error(`no message of ${length} bytes`);
    };
    const longest = await sized(96 * 1_024 - 2);
    expect(longest.length).toBeLessThanOrEqual(96 * 1_024);
    expect((await openSealed('request', longest, made.agent.sealing)).ok).toBe(true);
    expect(await openSealed('request', await sized(96 * 1_024 + 1), made.agent.sealing)).toMatchObject({
      failure: { code: 'message.malformed' },
    });
    const sizes: number[] = [];
    for (const more of [0, 1, 2, 3]) {
      const kid = `${'k'.repeat(40)}${'i'.repeat(more)}`;
      const bare = (await seal('request', new Uint8Array(), { ...facilityKey(), kid })).length;
      const about = Math.floor(((96 * 1_024 - bare) * 3) / 4);
      for (let size = about - 2; size <= about + 3; size += 1) {
        const sealed = await seal('request', new Uint8Array(size), { ...facilityKey(), kid });
        const opened = await openSealed(
          'request',
          sealed,
          made.agent.sealing.map((key) => ({ ...key, kid })),
        );
        expect(opened.ok, `${sealed.length}`).toBe(sealed.length <= 96 * 1_024);
        sizes.push(sealed.length);
      }
    }
    expect(sizes).toContain(96 * 1_024);
  });

  test('signed within: both must hold, and the seal is opened first', async () => {
    const openBoth = async (message: Uint8Array, sealing = made.agent.sealing) => {
      const keys = [sealing, made.agent.agents] as const;
      const opened = await openSealedAndSigned('receipt', message, receiptSchema, ...keys, addressee);
      return opened.ok ? opened.value : opened.failure.code;
    };
    const message = await signAndSeal('receipt', receipt, made.agent.signing, facilityKey());
    expect(await openBoth(message)).toEqual({ message: receipt, signer: 'agent-1' });
    expect(await openBoth(message, [made.device.sealing])).toBe('message.forged');
    expect(await openBoth(await signAndSeal('receipt', receipt, made.device.signing, facilityKey()))).toBe(
      'message.forged',
    );
    expect(await openBoth(await seal('receipt', bytes('not signed'), facilityKey()))).toBe('message.malformed');
    expect(await openBoth(await sign('receipt', receipt, made.agent.signing))).toBe('message.malformed');
  });
});

describe('a paper of a chain', () => {
  const schema = z.strictObject({ said: z.string() });
  const paperOf = async (said: string) => text(await sign('rollout-word', { said }, made.agent.signing));
  const read = (paper: string, kind: 'rollout-word' | 'rollout-order' = 'rollout-word') =>
    openPaper(kind, paper, schema, made.agent.agents);

  test('comes back with its signer, as the paper that it is', async () => {
    const paper = await paperOf('go');
    expect(await read(paper)).toEqual({ ok: true, value: { message: { said: 'go' }, signer: 'agent-1' } });
    expect((await read(paper, 'rollout-order')).ok).toBe(false);
  });

  test('is read up to a million bytes', async () => {
    const around = (await paperOf('')).length;
    // Three bytes are four letters.
    const longest = await paperOf('x'.repeat(Math.floor(((1_000_000 - around) * 3) / 4)));
    expect(longest.length).toBeGreaterThan(999_990);
    expect(longest.length).toBeLessThanOrEqual(1_000_000);
    expect((await read(longest)).ok).toBe(true);
    const said = await read(`${longest}${'A'.repeat(1_000_001 - longest.length)}`);
    expect(said).toMatchObject({
      ok: false,
      failure: { code: 'message.malformed', detail: expect.stringContaining('1000001') },
    });
  });
});
