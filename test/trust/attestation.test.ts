import { CompactSign, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AttestationKey, fileSigner, openAttestation, signAttestation } from '../../src/trust/attestation.ts';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let ours: Pair;
let other: Pair;
let devices: readonly AttestationKey[];
beforeAll(async () => {
  [ours, other] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  devices = [
    { owner: 'front-2', kid: 'second', key: other.publicKey, kept: 'file' },
    { owner: 'front-1', kid: 'first', key: ours.publicKey, kept: 'file' },
  ];
});

const word = {
  facility: 'clinic-1',
  device: 'front-1',
  release: '0.2.0+wire.2',
  tree: 'a'.repeat(43),
  files: 3,
  node: 'v24.21.0',
  at: 1_764_000_000_000,
};
const sign = (more: object = {}, kid = 'first') =>
  signAttestation({ ...word, ...more }, fileSigner({ kid, key: ours.privateKey }));
/** What the product would never sign itself, by the right key. */
const signRaw = (payload: string, header: object = {}) =>
  new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'ES256', typ: 'uketsuke-attestation', kid: 'first', ...header })
    .sign(ours.privateKey);
const open = async (text: string, known = devices) => {
  const opened = await openAttestation(text, known);
  return opened.ok ? opened.value : opened.failure.code;
};
const raw = { ...word, key: 'file' };

describe('what a device says that it runs', () => {
  test('is believed as it was said', async () => {
    expect(await open(await sign())).toEqual(raw);
    expect(await open(await signRaw(JSON.stringify(raw)))).toEqual(raw);
  });

  test('each value to its bounds, and not beyond', async () => {
    const within = [
      { release: 'x' },
      { release: '0'.repeat(40) },
      { files: 1 },
      { files: 1_000_000 },
      { node: 'v1' },
      { node: `v${'1'.repeat(20)}` },
      { at: 0 },
      { at: 4_102_444_800_000 },
      { tree: `${'-_A9'.repeat(10)}xyz` },
    ];
    for (const more of within) expect(await open(await sign(more)), JSON.stringify(more)).toEqual({ ...raw, ...more });
    const beyond: readonly object[] = [
      ...['', '0'.repeat(41), '0 1', '!0', '0!'].map((release) => ({ release })),
      ...['a'.repeat(42), 'a'.repeat(44), `+${'a'.repeat(42)}`, `${'a'.repeat(42)}=`].map((tree) => ({ tree })),
      ...[0, 1_000_001, 1.5].map((files) => ({ files })),
      ...['24.1', 'v', `v${'1'.repeat(21)}`, 'xv24', 'v24x'].map((node) => ({ node })),
      ...[-1, 4_102_444_800_001, 0.5].map((at) => ({ at })),
      ...['', 'nowhere'].map((key) => ({ key })),
      { facility: 'Clinic 1' },
      { device: '' },
      { more: 1 },
    ];
    for (const more of beyond) {
      expect(await open(await signRaw(JSON.stringify({ ...raw, ...more }))), JSON.stringify(more)).toBe(
        'message.malformed',
      );
      if (!('key' in more)) await expect(sign(more)).rejects.toThrow();
    }
  });

  test('forged: another device, another key, another kind of word, a key that is kept elsewhere', async () => {
    expect(await open(await sign({ device: 'front-2' }))).toBe('message.forged');
    expect(await open(await sign({}, 'second'))).toBe('message.forged');
    expect(await open(await sign({}, 'unknown'))).toBe('message.forged');
    expect(await open(await sign(), [])).toBe('message.forged');
    expect(await open(await signRaw(JSON.stringify(raw), { typ: 'uketsuke-receipt' }))).toBe('message.forged');
    expect(await open(await signRaw(JSON.stringify(raw), { typ: undefined }))).toBe('message.forged');
    const inTpm = devices.map((device) => ({ ...device, kept: 'tpm' as const }));
    expect(await open(await sign(), inTpm)).toBe('message.forged');
    const signed = await signAttestation(word, { ...fileSigner({ kid: 'first', key: ours.privateKey }), kept: 'tpm' });
    expect(await open(signed)).toBe('message.forged');
    expect(await open(signed, inTpm)).toEqual({ ...raw, key: 'tpm' });
  });

  test('a changed signature is forged; what is no such word, or too long for one, is malformed', async () => {
    const signed = await sign();
    const [head = '', body = '', signature = ''] = signed.split('.');
    const turned = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    expect(await open(`${head}.${body}.${turned}`)).toBe('message.forged');
    for (const text of ['', 'nothing', `${head}.${body}`, await signRaw('nothing')])
      expect(await open(text), text).toBe('message.malformed');
    // Length alone: blanks after the JSON change nothing else.
    const padded = async (length: number): Promise<string> => {
      for (let blanks = 0; ; blanks += 1) {
        const text = await signRaw(JSON.stringify(raw).padEnd(JSON.stringify(raw).length + blanks));
        if (text.length >= length) return text;
      }
    };
    const long = await padded(2_000);
    expect(long).toHaveLength(2_000);
    expect(await open(long)).toEqual(raw);
    expect(await open(await padded(2_001))).toBe('message.malformed');
  });

  test('an algorithm other than ES256 is not believed, whoever has the key', async () => {
    const rsa = await generateKeyPair('PS256');
    const signed = await new CompactSign(new TextEncoder().encode(JSON.stringify(raw)))
      .setProtectedHeader({ alg: 'PS256', typ: 'uketsuke-attestation', kid: 'first' })
      .sign(rsa.privateKey);
    expect(await open(signed, [{ owner: 'front-1', kid: 'first', key: rsa.publicKey, kept: 'file' }])).toBe(
      'message.forged',
    );
  });
});
