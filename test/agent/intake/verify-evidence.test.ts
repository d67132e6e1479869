import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generalVerify, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { caCertificateDer, ensureTestAuthority, makeCvCertificate } from '../../../drivers/virtual/test-authority.ts';
import {
  cardSigner,
  certificateFor,
  faceCard,
  pinCard,
  visualEvidence,
} from '../../../scripts/beds/evidence-fixtures.ts';
import { fixtures } from '../../../scripts/beds/intake-bed.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { authority } from '../../../scripts/beds/test-cards.ts';
import { facility, testRequest } from '../../../scripts/beds/test-facility.ts';
import {
  checkCardCertificate,
  type EvidenceContext,
  verifyEvidence,
} from '../../../src/agent/intake/verify-evidence.ts';
import { parseCardTrust } from '../../../src/agent/provisioning/card-trust.ts';
import type { FailureCode } from '../../../src/core/failure.ts';
import type { VisualEvidence } from '../../../src/core/visit/identity.ts';
import { toBase64url } from '../../../src/protocol/base64url.ts';
import { concatBytes } from '../../../src/protocol/bytes.ts';
import { type CardEvidence, signRequest } from '../../../src/terminal/delivery/sign-request.ts';
import { sign } from '../../../src/trust/seal.ts';
import type { EligibilityRequest } from '../../../src/wire/messages.ts';

const nowMs = simulatedStartMs;
const dayMs = 24 * 3_600_000;
const { testFacility, keys, certificate, trust, front1 } = fixtures;
const { agent, agents } = testFacility.agent;
/** Of the same name as the one that is trusted */
const otherAuthority = await (async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-authority-'));
  const other = await ensureTestAuthority(folder);
  rmSync(folder, { recursive: true });
  return other;
})();
const context: EvidenceContext = { facility, device: front1, approvers: [agent], agents, trust, nowMs };

type Json = { payload: string; signatures: { protected: string; signature: string }[] };
const decode = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString());
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const signed = async (
  card: CardEvidence,
  more: Partial<EligibilityRequest> = {},
  device = testFacility.device,
): Promise<Uint8Array> => {
  const request = testRequest({
    issuedAt: nowMs,
    verificationMethod: card.method,
    ...(card.method === 'staff' ? {} : { authCertificate: toBase64url(certificate) }),
    ...more,
  });
  const facilityKey = device.facilityKeys[0];
  if (facilityKey === undefined) throw new Error('no facility key');
  const result = await signRequest(request, card, { device: device.signing, facility: facilityKey });
  if (!result.ok) throw new Error(result.failure.detail);
  return result.value.document;
};
const pin = () => pinCard(certificate, keys.auth);
const face = () => faceCard(visualEvidence(keys.visual), keys.visual);

const codeOf = async (document: Uint8Array, more: Partial<EvidenceContext> = {}): Promise<FailureCode | 'accepted'> => {
  const verdict = await verifyEvidence(document, { ...context, ...more });
  return verdict.ok ? 'accepted' : verdict.failure.code;
};
const changed = async (document: Uint8Array, change: (json: Json) => void): Promise<FailureCode | 'accepted'> => {
  const json = JSON.parse(new TextDecoder().decode(document)) as Json;
  change(json);
  return codeOf(bytesOf(json));
};
const signatureOf = (json: Json, index: number) => {
  const one = json.signatures[index];
  if (one === undefined) throw new Error(`no signature ${index}`);
  return one;
};

describe('what is right is accepted, and what is proven is told', () => {
  test('PIN: the certificate and its state', async () => {
    const document = await signed(pin());
    const verdict = await verifyEvidence(document, context);
    expect(verdict).toMatchObject({
      ok: true,
      value: {
        certificate: { state: 'valid', certificate: { serial: '0A0B0C0D' } },
        visual: null,
      },
    });
  });

  test('face: birth date, sex and key of the 券面; the document carries neither photo nor hash 1', async () => {
    const document = await signed(face());
    const verdict = await verifyEvidence(document, context);
    expect(verdict).toMatchObject({
      ok: true,
      value: { visual: { birthDate: '19800217', sex: '1' }, certificate: { state: 'valid' } },
    });
    const visual = visualEvidence(keys.visual);
    const hash1 = createHash('sha256')
      .update(concatBytes(visual.df22, visual.df23, visual.df24))
      .digest('base64url');
    const header = decode(signatureOf(JSON.parse(new TextDecoder().decode(document)) as Json, 0).protected);
    expect(JSON.stringify(header)).not.toContain(hash1);
  });

  test('staff: the approval', async () => {
    const approval = await approve();
    const verdict = await verifyEvidence(await signed({ method: 'staff' }, approval), context);
    expect(verdict).toMatchObject({ ok: true, value: { approval: { approver: 'S-01' }, certificate: null } });
  });

  test("the card's signing input is a JWS signing input: jose agrees", async () => {
    const document = JSON.parse(new TextDecoder().decode(await signed(pin()))) as Json;
    const { n, e } = keys.auth.export({ format: 'jwk' }) as { n: string; e: string };
    const cardKey = await importJWK({ kty: 'RSA', n, e, alg: 'RS256' }, 'RS256');
    const both = await generalVerify(document, cardKey, { algorithms: ['RS256'] });
    expect((decode(Buffer.from(both.payload).toString('base64url')) as EligibilityRequest).verificationMethod).toBe(
      'pin',
    );
  });
});

const approve = async (
  more: Record<string, unknown> = {},
  key = testFacility.agent.signing,
): Promise<Partial<EligibilityRequest>> => {
  const session = crypto.randomUUID();
  const message = {
    facility,
    device: 'front-1',
    session,
    approver: 'S-01',
    approvedAt: nowMs,
    expiresAt: nowMs + 600_000,
    ...more,
  };
  return { session, staffApproval: new TextDecoder().decode(await sign('staff-approval', message, key)) };
};

describe('each required signature is verified, not one of them', () => {
  test.each(['pin', 'face'] as const)('%s: either signature missing, broken, swapped, duplicated', async (method) => {
    const document = await signed(method === 'pin' ? pin() : face());
    const cardFailure = method === 'pin' ? 'message.forged' : 'card.presence-proof-failed';
    const breakAt = (index: number) => (json: Json) => {
      const one = signatureOf(json, index);
      const bytes = Buffer.from(one.signature, 'base64url');
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      one.signature = bytes.toString('base64url');
    };
    expect(await changed(document, (json) => json.signatures.shift())).toBe('message.malformed');
    expect(await changed(document, (json) => json.signatures.pop())).toBe('message.malformed');
    expect(await changed(document, (json) => json.signatures.splice(0))).toBe('message.malformed');
    expect(await changed(document, breakAt(0))).toBe(cardFailure);
    expect(await changed(document, breakAt(1))).toBe('message.forged');
    expect(await changed(document, (json) => json.signatures.reverse())).toBe('message.malformed');
    expect(await changed(document, (json) => json.signatures.push(signatureOf(json, 0)))).toBe('message.malformed');
    expect(await changed(document, (json) => json.signatures.splice(1, 1, signatureOf(json, 0)))).toBe(
      'message.malformed',
    );
    expect(await changed(document, (json) => json.signatures.splice(0, 1, signatureOf(json, 1)))).toBe(
      'message.malformed',
    );
    expect(
      await changed(document, (json) => {
        const [a, b] = [signatureOf(json, 0), signatureOf(json, 1)];
        [a.signature, b.signature] = [b.signature, a.signature];
      }),
    ).not.toBe('accepted');
  });

  test('a valid device signature does not carry a broken card signature (generalVerify would pass it)', async () => {
    const document = JSON.parse(new TextDecoder().decode(await signed(pin()))) as Json;
    signatureOf(document, 0).signature = toBase64url(new Uint8Array(256).fill(1));
    const deviceKey = testFacility.registry.get('front-1')?.signing.key;
    if (deviceKey === undefined) throw new Error('no key');
    await expect(generalVerify(document, deviceKey)).resolves.toBeDefined();
    expect(await codeOf(bytesOf(document))).toBe('message.forged');
  });

  test('the signatures of two documents exchanged', async () => {
    const [a, b] = [await signed(pin()), await signed(pin())];
    const other = JSON.parse(new TextDecoder().decode(b)) as Json;
    expect(await changed(a, (json) => json.signatures.splice(0, 1, signatureOf(other, 0)))).toBe('message.forged');
    expect(await changed(a, (json) => json.signatures.splice(1, 1, signatureOf(other, 1)))).toBe('message.forged');
    expect(
      await changed(a, (json) => {
        json.payload = other.payload;
      }),
    ).toBe('message.forged');
  });

  test('our device’s signature under the name of another key', async () => {
    const { signing } = testFacility.device;
    const renamed = { ...testFacility.device, signing: { ...signing, kid: testFacility.other.signing.kid } };
    expect(await codeOf(await signed(pin(), {}, renamed))).toBe('message.forged');
  });

  test('another payload under the same signatures', async () => {
    const document = await signed(pin());
    const code = await changed(document, (json) => {
      const payload = decode(json.payload) as EligibilityRequest;
      payload.consents = payload.consents.map((consent) => ({ ...consent, given: !consent.given }));
      json.payload = encode(payload);
    });
    expect(code).toBe('message.forged');
  });

  test('another device of the facility, or its key under our id', async () => {
    expect(await codeOf(await signed(pin(), {}, testFacility.other))).toBe('message.forged');
    expect(await codeOf(await signed(pin(), { device: 'front-2' }))).toBe('message.forged');
    expect(await codeOf(await signed(pin(), { facility: 'other-clinic' }))).toBe('message.forged');
    expect(await codeOf(await signed(pin(), { lane: 2 }))).toBe('message.malformed');
  });
});

describe('shape', () => {
  const header = (json: Json, index: number, change: (header: Record<string, unknown>) => void): void => {
    const parsed = decode(signatureOf(json, index).protected) as Record<string, unknown>;
    change(parsed);
    signatureOf(json, index).protected = encode(parsed);
  };
  const changes: readonly [string, (json: Json) => void][] = [
    ['crit', (json) => header(json, 0, (fields) => Object.assign(fields, { crit: ['b64'], b64: false }))],
    ['an unknown protected field', (json) => header(json, 1, (fields) => Object.assign(fields, { jwk: {} }))],
    ['alg none', (json) => header(json, 1, (fields) => Object.assign(fields, { alg: 'none' }))],
    ['alg HS256 on the card signature', (json) => header(json, 0, (fields) => Object.assign(fields, { alg: 'HS256' }))],
    ['typ of another topic', (json) => header(json, 0, (fields) => Object.assign(fields, { typ: 'uketsuke-lookup' }))],
    ['an unprotected header', (json) => Object.assign(signatureOf(json, 0), { header: { alg: 'none' } })],
    ['an unknown member', (json) => Object.assign(json, { extra: 1 })],
    ['three signatures', (json) => json.signatures.push(signatureOf(json, 1))],
    [
      'a chain in x5c',
      (json) => header(json, 0, (fields) => Object.assign(fields, { x5c: [(fields.x5c as string[])[0], 'AAAA'] })),
    ],
    [
      'padding in base64url',
      (json) => {
        json.payload += '=';
      },
    ],
    [
      'spare bits in base64url',
      (json) => {
        signatureOf(json, 0).signature = `${signatureOf(json, 0).signature.slice(0, -1)}B`;
      },
    ],
    [
      'a field of the payload twice',
      (json) => {
        const text = Buffer.from(json.payload, 'base64url').toString();
        json.payload = Buffer.from(text.replace('{', '{"lane":1,')).toString('base64url');
      },
    ],
    [
      'an unknown field in the payload',
      (json) => {
        json.payload = encode({ ...(decode(json.payload) as object), name: 'x' });
      },
    ],
    [
      'the method changed to staff',
      (json) => {
        json.payload = encode({ ...(decode(json.payload) as object), verificationMethod: 'staff' });
      },
    ],
    [
      'the method changed to face',
      (json) => {
        json.payload = encode({ ...(decode(json.payload) as object), verificationMethod: 'face' });
      },
    ],
  ];
  test.each(changes)('%s', async (_what, change) => {
    expect(await changed(await signed(pin()), change)).toBe('message.malformed');
  });

  test('white space and another order of members are another spelling', async () => {
    const document = await signed(pin());
    const text = new TextDecoder().decode(document);
    expect(await codeOf(new TextEncoder().encode(` ${text}`))).toBe('message.malformed');
    const { payload, signatures } = JSON.parse(text) as Json;
    expect(await codeOf(bytesOf({ signatures, payload }))).toBe('message.malformed');
  });

  test('cut off anywhere, never accepted, never thrown', async () => {
    const document = await signed(face());
    for (let length = 0; length < document.length; length += 97)
      expect(await codeOf(document.slice(0, length))).toBe('message.malformed');
    expect(await codeOf(new Uint8Array(70_000))).toBe('message.malformed');
  });

  test('every single flipped byte of a document is noticed', async () => {
    const document = await signed(pin());
    for (let at = 0; at < document.length; at += 29) {
      const flipped = document.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      expect(await codeOf(flipped), `byte ${at}`).not.toBe('accepted');
    }
  });
});

describe('the certificate', () => {
  const withCertificate = async (der: Uint8Array, key = keys.auth, more: Partial<EligibilityRequest> = {}) =>
    signed(pinCard(der, key), { authCertificate: toBase64url(der), ...more });

  test('x5c and payload name different certificates', async () => {
    const another = await certificateFor(keys.auth, nowMs, { serial: '0f' });
    expect(await codeOf(await signed(pinCard(another, keys.auth)))).toBe('message.forged');
  });

  test("signed by another key than the certificate's", async () => {
    expect(await codeOf(await withCertificate(certificate, keys.stranger))).toBe('message.forged');
  });

  test('by an issuer of the same name that nobody trusts', async () => {
    const der = await certificateFor(keys.auth, nowMs, {}, otherAuthority);
    expect(await codeOf(await withCertificate(der))).toBe('card.certificate-invalid');
    const both = parseCardTrust(otherAuthority.caCertificatePem + authority.caCertificatePem, authority.cvIssuersJson);
    expect(await codeOf(await withCertificate(der), { trust: both })).toBe('accepted');
    expect(await codeOf(await withCertificate(certificate), { trust: both })).toBe('accepted');
  });

  test('for signing (署名用), not for authentication', async () => {
    const der = await certificateFor(keys.auth, nowMs, { forSigning: true });
    expect(await codeOf(await withCertificate(der))).toBe('card.certificate-invalid');
  });

  test('a key of 1024 bits', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const der = await certificateFor(privateKey, nowMs);
    const document = await signed(
      { method: 'pin', authCertificate: der, sign: async () => ({ ok: true, value: new Uint8Array(256) }) },
      { authCertificate: toBase64url(der) },
    );
    expect(await codeOf(document)).toBe('card.certificate-invalid');
  });

  test("the CA's own certificate, and bytes that are none", async () => {
    for (const der of [caCertificateDer(authority), certificate.slice(0, -1), new Uint8Array(40)])
      expect(await codeOf(await withCertificate(der))).toBe('card.certificate-invalid');
  });

  test('a certificate with one changed byte in its signed part', async () => {
    const der = certificate.slice();
    der[60] = (der[60] ?? 0) ^ 1;
    expect(await codeOf(await withCertificate(der))).toBe('card.certificate-invalid');
  });

  test('not yet valid', async () => {
    const der = await certificateFor(keys.auth, nowMs, { notBeforeMs: nowMs + dayMs });
    expect(await codeOf(await withCertificate(der))).toBe('card.certificate-invalid');
  });

  test('a certificate that was proven once is judged by the time of each request', () => {
    const { trust } = context;
    const at = (ms: number) => checkCardCertificate(certificate, trust, ms);
    expect(at(nowMs)).toMatchObject({ ok: true, value: { state: 'valid' } });
    expect(at(nowMs + 20 * 365 * 86_400_000)).toMatchObject({ failure: { code: 'card.certificate-expired' } });
    expect(at(0)).toMatchObject({ failure: { code: 'card.certificate-invalid' } });
    expect(checkCardCertificate(certificate, { ...trust, certificateIssuers: [] }, nowMs)).toMatchObject({
      failure: { code: 'card.certificate-invalid' },
    });
    const another = certificate.slice();
    another[another.length - 1] = (another.at(-1) ?? 0) ^ 1;
    expect(checkCardCertificate(another, trust, nowMs)).toMatchObject({
      failure: { code: 'card.certificate-invalid' },
    });
    expect(at(nowMs).ok).toBe(true);
  });

  test('its first instant and its last month of grace count, and no date does where the clock is doubted', () => {
    const { trust } = context;
    const first = checkCardCertificate(certificate, trust, nowMs);
    if (!first.ok) throw new Error(first.failure.detail);
    const { notBeforeMs, notAfterMs } = first.value.certificate;
    expect(checkCardCertificate(certificate, trust, notBeforeMs).ok).toBe(true);
    expect(checkCardCertificate(certificate, trust, notBeforeMs - 1).ok).toBe(false);
    for (const atMs of [notBeforeMs - 1, notAfterMs + 300 * dayMs])
      expect(checkCardCertificate(certificate, trust, atMs, false)).toEqual({
        ...{ ok: true, value: { certificate: first.value.certificate, state: 'valid' } },
      });
  });

  test('its issuer is asked once while the patient is there: not for the request after the lookup', async () => {
    let asked = 0;
    const counted = {
      ...trust,
      get certificateIssuers() {
        asked += 1;
        return trust.certificateIssuers;
      },
    };
    const patients = await Promise.all(
      Array.from({ length: 9 }, (_, number) => certificateFor(keys.auth, nowMs, { serial: `0${number + 1}` })),
    );
    const see = (der: Uint8Array): number => {
      const before = asked;
      expect(checkCardCertificate(der, counted, nowMs)).toMatchObject({ ok: true });
      return asked - before;
    };
    expect(patients.map(see)).toEqual(patients.map(() => 1));
    // As many as there are lanes at a large counter; who came before them is proven anew.
    expect(patients.slice(1).map(see)).toEqual(patients.slice(1).map(() => 0));
    expect(patients.slice(0, 1).map(see)).toEqual([1]);
    expect(see(patients[8] as Uint8Array)).toBe(0);
  });

  test('in grace: accepted without consents, refused with a given one', async () => {
    const der = await certificateFor(keys.auth, nowMs, { notAfterMs: nowMs - 5 * dayMs });
    const none = await withCertificate(der, keys.auth, { consents: [], certificateState: 'grace' });
    const verdict = await verifyEvidence(none, context);
    expect(verdict).toMatchObject({ ok: true, value: { certificate: { state: 'grace' } } });
    expect(await codeOf(await withCertificate(der))).toBe('card.certificate-invalid');
  });

  test('beyond grace', async () => {
    const der = await certificateFor(keys.auth, nowMs, { notAfterMs: nowMs - 140 * dayMs });
    expect(await codeOf(await withCertificate(der, keys.auth, { consents: [] }))).toBe('card.certificate-expired');
  });
});

describe('the face path', () => {
  const proven = async (visual: VisualEvidence, key = keys.visual) => codeOf(await signed(faceCard(visual, key)));
  const visual = () => visualEvidence(keys.visual);
  const flip = (bytes: Uint8Array, at = bytes.length - 1): Uint8Array => {
    const copy = bytes.slice();
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  test.each(['df22', 'df23', 'df24', 'hash2', 'hash3', 'df28', 'cvCertificate'] as const)(
    'a changed %s proves nothing',
    async (field) => {
      expect(await proven({ ...visual(), [field]: flip(visual()[field]) })).toBe('card.visual-proof-failed');
    },
  );

  test.each(['df22', 'df23', 'df24', 'cvCertificate'] as const)('a truncated %s', async (field) => {
    expect(await proven({ ...visual(), [field]: visual()[field].slice(0, -1) })).toBe('card.visual-proof-failed');
  });

  test('DF28 by another key, or a CV certificate by an issuer nobody trusts', async () => {
    expect(await proven(visualEvidence(keys.visual, { signer: keys.stranger }))).toBe('card.visual-proof-failed');
    const forgedCv = makeCvCertificate(keys.stranger, keys.stranger);
    const forged = { ...visualEvidence(keys.visual, { signer: keys.stranger }), cvCertificate: forgedCv };
    expect(await proven(forged)).toBe('card.visual-proof-failed');
  });

  test('the presence proof by another card than the one on the 券面', async () => {
    expect(await proven(visual(), keys.stranger)).toBe('card.presence-proof-failed');
  });

  test('the 券面 of one card, the presence of another: the key of DF24 decides', async () => {
    const other = visualEvidence(keys.stranger, { signer: keys.visual });
    expect(await proven({ ...visual(), df24: other.df24 }, keys.stranger)).toBe('card.visual-proof-failed');
  });

  test('a presence proof over an earlier challenge', async () => {
    const recorded: Uint8Array[] = [];
    const recording: CardEvidence = {
      method: 'face',
      visual: visual(),
      sign: async (digest) => {
        const made = await cardSigner(keys.visual)(digest);
        if (made.ok) recorded.push(made.value);
        return made;
      },
    };
    await signed(recording);
    const replaying: CardEvidence = {
      method: 'face',
      visual: visual(),
      sign: async () => ({ ok: true, value: recorded[0] ?? new Uint8Array(256) }),
    };
    expect(await codeOf(await signed(replaying))).toBe('card.presence-proof-failed');
  });

  test('the certificate must be good on this path, too', async () => {
    const der = await certificateFor(keys.auth, nowMs, { notAfterMs: nowMs - 140 * dayMs });
    expect(await codeOf(await signed(face(), { authCertificate: toBase64url(der) }))).toBe('card.certificate-expired');
  });
});

describe('the staff path and the payload', () => {
  test('an approval by a device, of another visit, of another lane, or over', async () => {
    const staff = async (approval: Partial<EligibilityRequest>) => codeOf(await signed({ method: 'staff' }, approval));
    expect(await staff(await approve({}, testFacility.device.signing))).toBe('message.forged');
    expect(await staff({ ...(await approve()), session: crypto.randomUUID() })).toBe('message.forged');
    expect(await staff(await approve({ device: 'front-2' }))).toBe('message.forged');
    expect(await staff(await approve({ expiresAt: nowMs }))).toBe('delivery.expired');
    expect(await staff({})).toBe('message.malformed');
    expect(await staff({ staffApproval: 'a.b.c' })).toBe('message.malformed');
  });

  test('an approval of another agent: its one use is kept in the journal over there', async () => {
    const document = await signed({ method: 'staff' }, await approve());
    expect(await codeOf(document)).toBe('accepted');
    expect(await codeOf(document, { approvers: ['agent-2'] })).toBe('message.forged');
  });

  test('an approval on another path', async () => {
    expect(await codeOf(await signed(pin(), await approve()))).toBe('message.malformed');
  });

  test('a request that outlived its challenge, to the millisecond', async () => {
    const document = await signed(pin(), { expiresAt: nowMs + 1 });
    expect(await codeOf(document)).toBe('accepted');
    expect(await codeOf(document, { nowMs: nowMs + 1 })).toBe('delivery.expired');
    expect(await codeOf(document, { nowMs: nowMs + 1, datesCount: false })).toBe('accepted');
  });

  test('a consent twice', async () => {
    const [consent] = testRequest({ issuedAt: nowMs }).consents;
    if (consent === undefined) throw new Error('no consent');
    expect(await codeOf(await signed(pin(), { consents: [consent, { ...consent, given: false }] }))).toBe(
      'message.malformed',
    );
  });

  test('two consents, each once', async () => {
    const [consent] = testRequest({ issuedAt: nowMs }).consents;
    if (consent === undefined) throw new Error('no consent');
    expect(await codeOf(await signed(pin(), { consents: [consent, { ...consent, code: 'YZK' }] }))).toBe('accepted');
  });

  test('a certificate that is no base64url is not the same as none: staff do not pass it by', async () => {
    const document = await signed({ method: 'staff' }, { ...(await approve()), authCertificate: 'A' });
    expect(await codeOf(document)).toBe('message.malformed');
  });

  test('no authCertificate on a path that needs one', async () => {
    const card = pin();
    const request = { ...testRequest({ issuedAt: nowMs, verificationMethod: 'pin' }) };
    const key = testFacility.device.facilityKeys[0];
    if (key === undefined) throw new Error('no key');
    const made = await signRequest(request, card, { device: testFacility.device.signing, facility: key });
    expect(made.ok && (await codeOf(made.value.document))).toBe('message.malformed');
  });
});
