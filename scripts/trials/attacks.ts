import { createHmac, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { CompactEncrypt, CompactSign, type CryptoKey, exportJWK, GeneralSign, generateKeyPair } from 'jose';
import type { SealingPublicKey } from '../../src/trust/seal.ts';
import type { TopicLeaf } from '../../src/wire/topics.ts';
import { publisherOf, topicLeaves, topicOf } from '../../src/wire/topics.ts';
import { facility, testRequest, testSettings } from '../beds/test-facility.ts';

/** A message as a broker sees it. */
export type Message = { readonly topic: string; readonly payload: Uint8Array; readonly retain?: boolean };

/** What the attacker holds: all that ever passed, public keys, key ids, and keys of its own. */
export type Loot = {
  readonly seen: readonly Message[];
  readonly agentKid: string;
  readonly agentJwk: { readonly x: string; readonly y: string };
  readonly deviceKid: string;
  readonly facilityKey: SealingPublicKey;
  readonly deviceKey: SealingPublicKey;
};

const encoder = new TextEncoder();
const textOf = (payload: Uint8Array): string => new TextDecoder().decode(payload);
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const leavesFrom = (publisher: 'agent' | 'device'): TopicLeaf[] =>
  topicLeaves.filter((leaf) => publisherOf[leaf] === publisher && leaf !== 'state');
const leafOf = (topic: string): TopicLeaf => topic.split('/').at(-1) as TopicLeaf;
export const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(Math.random() * from.length)];

let own = await generateKeyPair('ES256', { extractable: true });
const ownPublic = await exportJWK(own.publicKey);
/** To see the count rise: the attacker signs with a key that the terminal believes. */
export const giveAttacker = (privateKey: CryptoKey): void => {
  own = { ...own, privateKey };
};
const ownCard = generateKeyPairSync('rsa', { modulusLength: 2048 });

const uuidPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
/** Ids that the broker can read in signed, unsealed messages, so that forgeries name real requests. */
const knownId = (loot: Loot): string => {
  for (let tries = 0; tries < 5; tries++) {
    const one = pick(loot.seen);
    const body = one === undefined ? '' : Buffer.from(textOf(one.payload).split('.')[1] ?? '', 'base64url').toString();
    const found = uuidPattern.exec(body)?.[0];
    if (found !== undefined) return found;
  }
  return randomUUID();
};

/** Payloads of the right shape, as somebody who has read the source would write them. */
const plausible = (leaf: TopicLeaf, loot: Loot): object => {
  const now = Date.now();
  const id = knownId(loot);
  const addressed = { facility, device: 'front-1' };
  const nonce = randomBytes(32).toString('base64url');
  const { kty = 'EC', crv = 'P-256', x = '', y = '' } = ownPublic;
  const bodies: Partial<Record<TopicLeaf, object>> = {
    'challenge-request': { challengeRequestId: id, requestedAt: now, wanted: 16 },
    challenge: {
      challengeRequestId: id,
      agentTime: now,
      challenges: [{ nonce, agent: 'agent-1', issuedAt: now, expiresAt: now + 600_000 }],
    },
    lookup: { lookupId: id, session: id, requestedAt: now, authCertificate: 'AAAA' },
    'lookup-result': {
      lookupId: id,
      registered: 'yes',
      certificateStatus: 'good',
      medicalSubsidy: true,
      prescription: { use: 1, timing: 2 },
    },
    receipt: { requestId: id, documentHash: nonce, receivedAt: now, agent: 'agent-1', verdict: 'accepted' },
    result: { requestId: id, outcome: 'eligible', qualificationValidity: 1 },
    command: {
      commandId: id,
      nonce,
      issuedAt: now,
      expiresAt: now + 60_000,
      command: { name: 'restart', part: 'daemon' },
    },
    'command-result': { commandId: id, outcome: 'done' },
    settings: {
      version: 1_000_000,
      validFrom: 0,
      facilitySettings: testSettings,
      facilityKeys: { current: { kty, crv, x, y, kid: nonce } },
    },
    request: testRequest({ issuedAt: now, requestId: id, challenge: nonce, authCertificate: 'AAAA' }),
  };
  return { ...addressed, ...bodies[leaf] };
};

const signOwn = async (leaf: TopicLeaf, body: object, kid: string): Promise<Uint8Array> =>
  encoder.encode(
    await new CompactSign(encoder.encode(JSON.stringify(body)))
      .setProtectedHeader({ alg: 'ES256', typ: `uketsuke-${leaf}`, kid })
      .sign(own.privateKey),
  );

const sealTo = async (leaf: TopicLeaf, plain: Uint8Array, key: SealingPublicKey): Promise<Uint8Array> =>
  encoder.encode(
    await new CompactEncrypt(plain)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ: `uketsuke-${leaf}`, kid: key.kid })
      .encrypt(key.key),
  );

const ownDocument = async (body: object, deviceKid: string): Promise<Uint8Array> => {
  const signer = new GeneralSign(encoder.encode(JSON.stringify(body)));
  signer.addSignature(ownCard.privateKey).setProtectedHeader({ alg: 'RS256', typ: 'uketsuke-request', x5c: ['AAAA'] });
  signer.addSignature(own.privateKey).setProtectedHeader({ alg: 'ES256', typ: 'uketsuke-request', kid: deviceKid });
  const { payload, signatures } = await signer.sign();
  const ordered = signatures.map((one) => ({ protected: one.protected, signature: one.signature }));
  return encoder.encode(JSON.stringify({ payload, signatures: ordered }));
};

const sealedLeaves: readonly TopicLeaf[] = ['lookup', 'lookup-result', 'result', 'request'];

/** Each answers a message of the attacker's making, or null when it has nothing to work on. */
export const attacks: Record<string, (loot: Loot, to: 'agent' | 'device') => Promise<Message | null>> = {
  replay: async ({ seen }, to) => pick(seen.filter(({ topic }) => publisherOf[leafOf(topic)] !== to)) ?? null,
  'flipped bit': async ({ seen }, to) => {
    const one = pick(seen.filter(({ topic }) => publisherOf[leafOf(topic)] !== to));
    if (one === undefined || one.payload.length === 0) return null;
    const payload = one.payload.slice();
    const at = Math.floor(Math.random() * payload.length);
    payload[at] = (payload[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
    // The last character of a base64url part may carry spare bits: a flip there is another spelling, refused all the same.
    return { ...one, payload };
  },
  'cut off': async ({ seen }, to) => {
    const one = pick(seen.filter(({ topic }) => publisherOf[leafOf(topic)] !== to));
    return one === undefined
      ? null
      : { ...one, payload: one.payload.slice(0, Math.floor(Math.random() * one.payload.length)) };
  },
  'another topic': async ({ seen }, to) => {
    const one = pick(seen);
    const leaf = pick(leavesFrom(to === 'agent' ? 'device' : 'agent'));
    if (one === undefined || leaf === undefined || leafOf(one.topic) === leaf) return null;
    return { topic: topicOf(facility, 'front-1', leaf), payload: one.payload };
  },
  'another lane': async ({ seen }, to) => {
    const one = pick(seen.filter(({ topic }) => publisherOf[leafOf(topic)] !== to));
    if (one === undefined) return null;
    const [from, instead] = one.topic.includes('/front-1/') ? ['/front-1/', '/front-2/'] : ['/front-2/', '/front-1/'];
    return { ...one, topic: one.topic.replace(from, instead) };
  },
  'parts of two messages': async ({ seen }, to) => {
    const [a, b] = [pick(seen.filter(({ topic }) => publisherOf[leafOf(topic)] !== to)), pick(seen)];
    if (a === undefined || b === undefined) return null;
    const [left, right] = [textOf(a.payload).split('.'), textOf(b.payload).split('.')];
    const place = Math.floor(Math.random() * left.length);
    if (right[place] === undefined || right[place] === left[place]) return null;
    left[place] = right[place];
    return { ...a, payload: encoder.encode(left.join('.')) };
  },
  'own signature under the real key id': async (loot, to) => {
    const leaf = pick(leavesFrom(to === 'agent' ? 'device' : 'agent'));
    if (leaf === undefined) return null;
    const signed = await signOwn(leaf, plausible(leaf, loot), to === 'agent' ? loot.deviceKid : loot.agentKid);
    const payload = sealedLeaves.includes(leaf)
      ? await sealTo(leaf, signed, to === 'agent' ? loot.facilityKey : loot.deviceKey)
      : signed;
    return { topic: topicOf(facility, 'front-1', leaf), payload, retain: leaf === 'settings' };
  },
  'no algorithm, or the public key as a secret': async (loot, to) => {
    const leaf = pick(leavesFrom(to === 'agent' ? 'device' : 'agent'));
    if (leaf === undefined) return null;
    const kid = to === 'agent' ? loot.deviceKid : loot.agentKid;
    const alg = pick(['none', 'HS256']) ?? 'none';
    const input = `${base64url({ alg, typ: `uketsuke-${leaf}`, kid })}.${base64url(plausible(leaf, loot))}`;
    const secret = Buffer.concat([
      Buffer.from([4]),
      Buffer.from(loot.agentJwk.x, 'base64url'),
      Buffer.from(loot.agentJwk.y, 'base64url'),
    ]);
    const signature = alg === 'none' ? '' : createHmac('sha256', secret).update(input).digest('base64url');
    return { topic: topicOf(facility, 'front-1', leaf), payload: encoder.encode(`${input}.${signature}`) };
  },
  'own document sealed to the facility': async (loot, to) => {
    if (to !== 'agent') return null;
    const document = await ownDocument(plausible('request', loot), loot.deviceKid);
    return {
      topic: topicOf(facility, 'front-1', 'request'),
      payload: await sealTo('request', document, loot.facilityKey),
    };
  },
  'an old retained message': async ({ seen }, to) => {
    const one = to === 'device' ? pick(seen.filter(({ topic }) => topic.endsWith('/settings'))) : undefined;
    return one === undefined ? null : { ...one, retain: true };
  },
  rubbish: async (_loot, to) => {
    const leaf = pick(leavesFrom(to === 'agent' ? 'device' : 'agent'));
    if (leaf === undefined) return null;
    const payloads = [
      new Uint8Array(),
      encoder.encode('{}'),
      encoder.encode('a.b.c.d.e'),
      randomBytes(Math.floor(Math.random() * 3_000)),
      encoder.encode(JSON.stringify({ payload: 'AA', signatures: [] })),
    ];
    return { topic: topicOf(facility, 'front-1', leaf), payload: pick(payloads) ?? new Uint8Array() };
  },
};
