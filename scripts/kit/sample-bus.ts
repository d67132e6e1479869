import { ConsentTextsInForce } from '../../src/agent/intake/consent-texts.ts';
import { BusJudge } from '../../src/kit/bus/bus-judge.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import { seal, sign, signAndSeal } from '../../src/trust/seal.ts';
import { busQos, messageForms } from '../../src/wire/message-forms.ts';
import { type TopicLeaf, topicOf } from '../../src/wire/topics.ts';
import { type AgentBed, makeAgentBed } from '../beds/agent-bed.ts';
import { cardSigner } from '../beds/evidence-fixtures.ts';
import { facility, testRequest, testSettings } from '../beds/test-facility.ts';
import { type CheckedKit, defect } from './planted-defect.ts';

/* A terminal and an agent on one bus, as they should be, and each mistake that the message kit knows. */

const defects = [
  // of a terminal
  defect('topic-unknown'),
  defect('state-with-own-field', 'form'),
  defect('signed-by-other', 'signature'),
  defect('question-without-field', 'form'),
  defect('lookup-in-the-clear', 'not-sealed'),
  defect('request-in-the-clear', 'not-sealed'),
  defect('card-signature-broken', 'evidence'),
  defect('challenge-unknown'),
  defect('challenge-of-other-terminal', 'challenge-unknown'),
  defect('challenge-twice'),
  defect('other-agent'),
  defect('longer-than-challenge'),
  defect('sent-expired'),
  defect('same-id-other-document'),
  defect('sent-after-receipt'),
  defect('question-twice'),
  defect('command-expired-done'),
  defect('command-twice-done'),
  defect('command-forged-done'),
  // of an agent
  defect('answer-unasked'),
  defect('challenge-short'),
  defect('nonce-twice'),
  defect('receipt-hash'),
  defect('receipt-differs'),
  defect('accepted-wrong'),
  defect('result-before-receipt'),
  defect('result-differs'),
  defect('result-in-the-clear', 'not-sealed'),
  defect('settings-lower'),
  // of a terminal, again
  defect('state-of-other'),
  defect('state-ahead', 'instant-ahead'),
  defect('question-ahead', 'instant-ahead'),
  defect('request-ahead', 'instant-ahead'),
  defect('algorithm-none', 'signature'),
  defect('type-of-other-message', 'signature'),
  defect('signed-for-other-terminal', 'signature'),
  defect('device-signature-missing', 'form'),
  defect('certificate-of-other-card', 'evidence'),
  defect('request-as-other-terminal', 'evidence'),
  defect('command-result-by-other', 'signature'),
  defect('lookup-again', 'question-twice'),
  defect('lookup-without-certificate', 'form'),
  defect('seal-key-twice'),
  // of an agent, again
  defect('agent-time'),
  defect('challenge-stale', 'challenge-short'),
  defect('nonce-weak'),
  defect('challenges-too-many'),
  defect('challenge-of-other-agent', 'other-agent'),
  defect('receipt-to-other-terminal', 'answer-unasked'),
  defect('lookup-result-to-other', 'answer-unasked'),
  defect('lookup-result-differs', 'result-differs'),
  defect('command-nonce-twice', 'nonce-twice'),
  defect('consent-text-of-its-own', 'consent-text'),
  defect('consent-in-other-language', 'consent-text'),
  defect('consent-of-unknown-catalogue', 'consent-text'),
  // of both, in how a packet is sent
  defect('request-retained', 'retained'),
  defect('command-retained', 'retained'),
  defect('state-not-retained', 'not-retained'),
  defect('settings-not-retained', 'not-retained'),
  defect('request-at-most-once', 'quality-of-service'),
  defect('result-exactly-once', 'quality-of-service'),
] as const;
type Defect = (typeof defects)[number]['name'];
type Is = (defect: Defect) => boolean;

const address = { facility, device: 'front-1' } as const;
const serial = '5E570001';

type Bus = { readonly bed: AgentBed; readonly judge: BusJudge; readonly is: Is };
const put = (
  { judge, is }: Bus,
  leaf: TopicLeaf,
  payload: Uint8Array,
  device: string = address.device,
): Promise<void> => {
  const isOther = (['request', 'command'] as const).some((each) => each === leaf && is(`${each}-retained`));
  const isLost = (['state', 'settings'] as const).some((each) => each === leaf && is(`${each}-not-retained`));
  const retain = isOther || (messageForms[leaf].retained && !isLost);
  const isOnce = leaf === 'request' && is('request-at-most-once');
  const qos = isOnce ? 0 : leaf === 'result' && is('result-exactly-once') ? 2 : busQos;
  return judge.see(topicOf(facility, device, leaf), payload, { retain, qos });
};
const text = (content: object): Uint8Array => new TextEncoder().encode(JSON.stringify(content));

const ask = async (bus: Bus, challengeRequestId: string): Promise<void> => {
  const { device, other } = bus.bed.testFacility;
  const { is } = bus;
  const question = { ...address, challengeRequestId, requestedAt: bus.bed.clock.now().wallMs, wanted: 1 };
  const { wanted: _, ...cut } = question;
  const key = is('signed-by-other') ? other.signing : device.signing;
  const kind = is('type-of-other-message') ? 'command-result' : 'challenge-request';
  const named = is('signed-for-other-terminal') ? { ...question, device: 'front-2' } : question;
  const moved = is('question-ahead') ? { ...named, requestedAt: named.requestedAt + 3_600_000 } : named;
  const signed = await sign(kind, is('question-without-field') ? cut : moved, key);
  await put(bus, 'challenge-request', is('algorithm-none') ? unsigned(signed) : signed);
};

/** A JWS that says itself that nobody signed it. */
const unsigned = (jws: Uint8Array): Uint8Array => {
  const [head = '', payload] = new TextDecoder().decode(jws).split('.');
  const header = { ...(JSON.parse(Buffer.from(head, 'base64url').toString()) as object), alg: 'none' };
  return new TextEncoder().encode(`${toBase64url(text(header))}.${payload}.`);
};

const giveChallenges = async (bus: Bus, challengeRequestId: string, nonces: readonly string[]): Promise<void> => {
  const { clock, testFacility } = bus.bed;
  const now = clock.now().wallMs;
  const lifeMs = bus.is('challenge-short') ? 60_000 : 600_000;
  const agent = bus.is('challenge-of-other-agent') ? 'agent-2' : 'agent-1';
  const issuedAt = bus.is('challenge-stale') ? now - 540_000 : now;
  const challenges = nonces.map((nonce) => ({ nonce, agent, issuedAt, expiresAt: issuedAt + lifeMs }));
  const asked = bus.is('answer-unasked') ? crypto.randomUUID() : challengeRequestId;
  const device = bus.is('challenge-of-other-terminal') ? 'front-2' : address.device;
  const message = {
    facility,
    device,
    challengeRequestId: asked,
    agentTime: bus.is('agent-time') ? now - 3_600_000 : now,
    challenges,
  };
  await put(bus, 'challenge', await sign('challenge', message, testFacility.agent.signing), device);
};

const signedRequest = async (bus: Bus, nonce: string, requestId: string) => {
  const { bed, is } = bus;
  const now = bed.clock.now().wallMs;
  const card = await bed.pin(serial);
  const broken =
    is('card-signature-broken') || is('accepted-wrong') ? { ...card, sign: cardSigner(bed.keys.stranger) } : card;
  const expiresAt = now + (is('longer-than-challenge') ? 660_000 : is('sent-expired') ? 1_000 : 600_000);
  const agent = is('other-agent') ? 'agent-2' : 'agent-1';
  const issuedAt = is('request-ahead') ? now + 400_000 : now;
  const authCertificate = toBase64url(await bed.certificate('5E570002'));
  const { consents } = testRequest({ issuedAt: now });
  const other = {
    ...(is('consent-text-of-its-own') && { textHash: 'A'.repeat(43) }),
    ...(is('consent-in-other-language') && { language: 'en' }),
    ...(is('consent-of-unknown-catalogue') && { catalogueVersion: '2020-01-01' }),
  };
  return bed.sign(broken, {
    ...{ challenge: nonce, requestId, expiresAt, issuedAt, agent },
    consents: consents.map((consent) => ({ ...consent, ...other })),
    ...(is('certificate-of-other-card') && { authCertificate }),
  });
};

const sealToFacility = async ({ bed }: Bus, plain: Uint8Array): Promise<Uint8Array> => {
  const [facilityKey] = bed.testFacility.device.facilityKeys;
  if (facilityKey === undefined) throw new Error('no key');
  return seal('request', plain, facilityKey);
};
/** Signed by the card alone */
const withoutDevice = (document: Uint8Array): Uint8Array => {
  const jws = JSON.parse(new TextDecoder().decode(document)) as { signatures: readonly object[] };
  return text({ ...jws, signatures: jws.signatures.slice(0, 1) });
};
/** Another message under the same head */
const withOtherText = (sealed: Uint8Array): Uint8Array =>
  new TextEncoder().encode(new TextDecoder().decode(sealed).replace(/.$/, (end) => (end === 'A' ? 'Q' : 'A')));

const receipt = async (
  bus: Bus,
  requestId: string,
  documentHash: string,
  verdict: 'accepted' | 'refused',
): Promise<void> => {
  const message = {
    ...address,
    requestId,
    documentHash,
    receivedAt: bus.bed.clock.now().wallMs,
    agent: 'agent-1',
    verdict,
  };
  const lane = bus.is('receipt-to-other-terminal') ? 'front-2' : address.device;
  const signed = await sign('receipt', { ...message, device: lane }, bus.bed.testFacility.agent.signing);
  await put(bus, 'receipt', signed, lane);
};

const result = async (bus: Bus, requestId: string, outcome: 'eligible' | 'not-eligible'): Promise<void> => {
  const { agent, registry } = bus.bed.testFacility;
  const message = { ...address, requestId, outcome, qualificationValidity: 1 };
  const sealing = registry.get('front-1')?.sealing;
  if (sealing === undefined) throw new Error('no front-1');
  const signed = await sign('result', message, agent.signing);
  await put(bus, 'result', bus.is('result-in-the-clear') ? signed : await seal('result', signed, sealing));
};

const visit = async (bus: Bus): Promise<void> => {
  const { bed, is } = bus;
  const nonce = toBase64url(is('nonce-weak') ? new Uint8Array(32) : crypto.getRandomValues(new Uint8Array(32)));
  const id = crypto.randomUUID();
  await ask(bus, id);
  if (is('question-twice')) await ask(bus, id);
  const spare = toBase64url(crypto.getRandomValues(new Uint8Array(32)));
  await giveChallenges(
    bus,
    id,
    is('nonce-twice') ? [nonce, nonce] : is('challenges-too-many') ? [nonce, spare] : [nonce],
  );
  const requestId = crypto.randomUUID();
  const unknown = toBase64url(crypto.getRandomValues(new Uint8Array(32)));
  const signed = await signedRequest(bus, is('challenge-unknown') ? unknown : nonce, requestId);
  if (is('sent-expired')) await bed.clock.advance(2_000);
  if (is('result-before-receipt')) {
    await put(bus, 'request', signed.sealed);
    await result(bus, requestId, 'eligible');
  }
  const lane = is('request-as-other-terminal') ? 'front-2' : address.device;
  const plain = is('device-signature-missing') ? withoutDevice(signed.document) : signed.document;
  const sealed = is('device-signature-missing') ? await sealToFacility(bus, plain) : signed.sealed;
  await put(bus, 'request', is('request-in-the-clear') ? plain : sealed, lane);
  if (is('seal-key-twice')) await put(bus, 'request', withOtherText(sealed));
  // A re-send before the receipt is as it should be.
  if (!is('request-in-the-clear')) await put(bus, 'request', signed.sealed);
  if (is('same-id-other-document')) await put(bus, 'request', (await signedRequest(bus, nonce, requestId)).sealed);
  if (is('challenge-twice')) await put(bus, 'request', (await signedRequest(bus, nonce, crypto.randomUUID())).sealed);
  const hash = is('receipt-hash') ? 'A'.repeat(43) : signed.documentHash;
  await receipt(bus, requestId, hash, is('card-signature-broken') ? 'refused' : 'accepted');
  if (is('receipt-differs')) await receipt(bus, requestId, hash, 'refused');
  if (is('sent-after-receipt')) await put(bus, 'request', signed.sealed);
  await result(bus, requestId, 'eligible');
  if (is('result-differs')) await result(bus, requestId, 'not-eligible');
};

const lookup = async (bus: Bus): Promise<void> => {
  const { bed, is } = bus;
  const { device } = bed.testFacility;
  const [facilityKey] = device.facilityKeys;
  if (facilityKey === undefined) throw new Error('no key');
  const lookupId = crypto.randomUUID();
  const authCertificate = is('lookup-without-certificate') ? 'AAAA' : toBase64url(await bed.certificate(serial));
  const message = {
    ...address,
    lookupId,
    session: crypto.randomUUID(),
    requestedAt: bed.clock.now().wallMs,
    authCertificate,
  };
  const signed = await sign('lookup', message, device.signing);
  await put(
    bus,
    'lookup',
    is('lookup-in-the-clear') ? signed : await signAndSeal('lookup', message, device.signing, facilityKey),
  );
  if (is('lookup-again')) await put(bus, 'lookup', await signAndSeal('lookup', message, device.signing, facilityKey));
  await answerLookup(bus, is('lookup-result-to-other') ? crypto.randomUUID() : lookupId, 'yes');
  if (is('lookup-result-differs')) await answerLookup(bus, lookupId, 'no');
};

const answerLookup = async (bus: Bus, lookupId: string, registered: 'yes' | 'no'): Promise<void> => {
  const { agent, registry } = bus.bed.testFacility;
  const sealing = registry.get(address.device)?.sealing;
  if (sealing === undefined) throw new Error('no front-1');
  const prescription = { use: 1, timing: 2 };
  const known = { registered, certificateStatus: 'good', medicalSubsidy: false, prescription } as const;
  const sealed = await signAndSeal('lookup-result', { ...address, lookupId, ...known }, agent.signing, sealing);
  await put(bus, 'lookup-result', sealed);
};

const command = async (bus: Bus): Promise<void> => {
  const { bed, judge, is } = bus;
  const { device, agent, other } = bed.testFacility;
  const now = bed.clock.now().wallMs;
  const commandId = crypto.randomUUID();
  const nonce = toBase64url(crypto.getRandomValues(new Uint8Array(32)));
  const message = {
    ...address,
    commandId,
    nonce,
    issuedAt: now,
    expiresAt: now + 30_000,
    command: { name: 'answer-help' } as const,
  };
  if (is('command-forged-done')) judge.forgedCommands.add(commandId);
  await put(bus, 'command', await sign('command', message, is('command-forged-done') ? other.signing : agent.signing));
  if (is('command-expired-done')) await bed.clock.advance(31_000);
  const again = { ...message, commandId: crypto.randomUUID() };
  if (is('command-nonce-twice')) await put(bus, 'command', await sign('command', again, agent.signing));
  const by = is('command-result-by-other') ? other.signing : device.signing;
  const done = await sign('command-result', { ...address, commandId, outcome: 'done' }, by);
  await put(bus, 'command-result', done);
  if (is('command-twice-done')) await put(bus, 'command-result', done);
};

const settings = async (bus: Bus): Promise<void> => {
  const { agent } = bus.bed.testFacility;
  for (const version of bus.is('settings-lower') ? [5, 4] : [4, 5]) {
    const message = {
      ...address,
      version,
      validFrom: 0,
      facilitySettings: testSettings,
      facilityKeys: agent.facilityKeys,
    };
    await put(bus, 'settings', await sign('settings', message, agent.signing));
  }
};

const state = async (bus: Bus): Promise<void> => {
  const { bed, is } = bus;
  const now = bed.clock.now().wallMs;
  const said = {
    device: is('state-of-other') ? 'front-2' : 'front-1',
    lane: 1,
    version: '0.1.0+wire.2',
    profile: 'release',
    status: 'idle',
    catalogueVersion: bed.catalogueVersion,
    since: is('state-ahead') ? now + 3_600_000 : now,
  };
  await put(bus, 'state', text(is('state-with-own-field') ? { ...said, battery: 1 } : said));
  if (is('topic-unknown'))
    await bus.judge.see(`uketsuke/v1/${facility}/front-1/debug`, text({}), { retain: false, qos: busQos });
};

export const busKit: CheckedKit = {
  kit: 'bus',
  defects,
  run: async (planted) => {
    const bed = await makeAgentBed();
    const { agent, registry, device } = bed.testFacility;
    const texts = new ConsentTextsInForce(bed.context);
    const judge = new BusJudge({
      ...{
        agent,
        devices: registry,
        trust: bed.context.trust,
        consentTexts: () => texts.now(),
        deviceSealing: { device: address.device, key: device.sealing },
      },
      now: () => bed.clock.now().wallMs,
    });
    const bus = { bed, judge, is: (name: Defect) => name === planted };
    try {
      for (const part of [state, lookup, visit, command, settings]) await part(bus);
      return { rules: new Set(judge.findings.map(({ rule }) => rule)) };
    } finally {
      bed.close();
    }
  },
};
