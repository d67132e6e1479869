import { X509Certificate } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import type { ConsentTexts } from '../../agent/intake/consent-texts.ts';
import { verifyEvidence } from '../../agent/intake/verify-evidence.ts';
import type { AgentKeys, DeviceEntry } from '../../agent/provisioning/agent-keys.ts';
import type { CardTrust } from '../../agent/provisioning/card-trust.ts';
import { toleratedMs } from '../../core/trusted-time.ts';
import { parseDocument } from '../../protocol/evidence.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { openSealed, openSigned, type SealingPrivateKey } from '../../trust/seal.ts';
import { busQos, messageForms } from '../../wire/message-forms.ts';
import type {
  Challenge,
  CommandMessage,
  EligibilityRequest,
  Receipt,
  SettingsMessage,
  StateMessage,
} from '../../wire/messages.ts';
import { parseTopic, publisherOf, type TopicLeaf } from '../../wire/topics.ts';
import type { Finding } from '../finding.ts';
import type { BusRule } from './bus-rules.ts';

type BusJudgeOptions = {
  /** Of the facility: opens what terminals seal */
  readonly agent: AgentKeys;
  readonly devices: ReadonlyMap<string, DeviceEntry>;
  readonly trust: CardTrust;
  /** What screens may have said when somebody answered */
  readonly consentTexts: () => ConsentTexts;
  /** Opens what is sealed to a terminal, where its keys are at hand; without them results are seen, not read */
  readonly deviceSealing?: { readonly device: string; readonly key: SealingPrivateKey };
  /** The agent's clock, ms */
  readonly now: () => number;
};

/** `isWrong`: an agent must refuse it. */
type SeenDocument = { readonly requestId: string; readonly device: string; readonly isWrong: boolean };
type SentAs = { readonly retain: boolean; readonly qos: number };
type Addressed = { readonly facility: string; readonly device: string };
type Content = Addressed & Readonly<Record<string, unknown>>;

/** Any less, and a visit may not begin with it (the terminal asks for five minutes and what is on its way). ms */
const leastLifeMs = 300_000;
/** Random bytes have more different ones among 32: fewer than this come once in 10^20. */
const leastDifferentBytes = 16;

/** Follows a clinic's bus from the side of its agent, and tells each rule that a terminal or an agent breaks there. */
export class BusJudge {
  readonly findings: Finding<BusRule>[] = [];
  readonly #options: BusJudgeOptions;
  /** By nonce, and to whom each was given */
  readonly #challenges = new Map<string, Challenge & { readonly device: string }>();
  readonly #usedBy = new Map<string, string>();
  /** By its hash, as it was when it came first: a later copy may come after its end, and is answered as the first */
  readonly #documents = new Map<string, SeenDocument>();
  /** The document that came first under each request's id */
  readonly #requests = new Map<string, string>();
  /** By request and document: another document under the same id is refused, whatever the first was told */
  readonly #receipts = new Map<string, string>();
  readonly #results = new Map<string, string>();
  /** By terminal and id: how many challenges were wanted; 0 of a lookup */
  readonly #asked = new Map<string, number>();
  readonly #lookupAnswers = new Map<string, string>();
  /** By the ephemeral key of a seal, the message that it came with */
  readonly #ephemeral = new Map<string, string>();
  readonly #commandNonces = new Map<string, string>();
  readonly #commands = new Map<string, { readonly command: CommandMessage; done: number }>();
  /** Commands whose signature is broken on purpose, by whoever probes */
  readonly forgedCommands = new Set<string>();
  #settingsVersion = 0;
  #messages = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: BusJudgeOptions) {
    this.#options = options;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Everything that has come so far is judged. */
  settled(): Promise<void> {
    return this.#turn;
  }

  /** In the order of their coming. `sent`: by MQTT's retain flag and quality of service, as its packet said */
  see(topic: string, payload: Uint8Array, sent: SentAs): Promise<void> {
    this.#messages += 1;
    const { retain, qos } = sent;
    this.#turn = this.#turn.then(() => this.#judge(topic, payload, { retain, qos }));
    return this.#turn;
  }

  #tell(rule: BusRule, where: string, seen: string): void {
    this.findings.push({ rule, where, seen });
  }

  async #judge(topic: string, payload: Uint8Array, { retain, qos }: SentAs): Promise<void> {
    const parsed = parseTopic(topic);
    if (parsed === null) return this.#tell('topic-unknown', topic, `${payload.length} bytes`);
    const { leaf, device } = parsed;
    const where = `${device}/${leaf}`;
    const entry = this.#options.devices.get(device);
    if (entry === undefined) return this.#tell('topic-unknown', topic, 'no such terminal');
    if (retain !== messageForms[leaf].retained) this.#tell(retain ? 'retained' : 'not-retained', where, `${retain}`);
    if (qos !== busQos) this.#tell('quality-of-service', where, `QoS ${qos}`);
    if (messageForms[leaf].envelope === 'plain') {
      const state = messageForms.state.schema.safeParse(parseJson(payload));
      if (!state.success) return this.#tell('form', where, state.error.issues[0]?.path.join('.') ?? 'shape');
      const { device: named, since } = state.data as StateMessage;
      if (named !== device) this.#tell('state-of-other', where, named);
      return this.#judgeInstant(where, 'since', since);
    }
    this.#judgeSeal(where, payload);
    if (leaf === 'request') return this.#judgeRequest(where, entry, payload);
    const opened = await this.#open(leaf, entry, payload, where);
    if (opened !== null) this.#judgeContent(leaf, opened.message, opened.signer, where);
  }

  /** What was not yet, by the agent's clock. */
  #judgeInstant(where: string, name: string, at: number): void {
    const aheadMs = at - this.#options.now();
    if (aheadMs > toleratedMs) this.#tell('instant-ahead', where, `${name} +${Math.round(aheadMs / 1_000)} s`);
  }

  /** One ephemeral key for two messages gives both away. The same message again is as it should be. */
  #judgeSeal(where: string, payload: Uint8Array): void {
    if (!isSealed(payload)) return;
    const text = new TextDecoder().decode(payload);
    const epk = JSON.stringify(decodeProtectedHeader(text).epk);
    if ((this.#ephemeral.get(epk) ?? text) !== text) this.#tell('seal-key-twice', where, 'epk');
    this.#ephemeral.set(epk, text);
  }

  /** What a signed message says, its seal opened first. null: told already, or sealed to whom we are not. */
  async #open(
    leaf: TopicLeaf,
    { device, signing }: DeviceEntry,
    payload: Uint8Array,
    where: string,
  ): Promise<{ readonly message: Content; readonly signer: string } | null> {
    const { agent, deviceSealing } = this.#options;
    const isAgents = publisherOf[leaf] === 'agent';
    let signed = payload;
    if (messageForms[leaf].envelope === 'sealed') {
      if (!isSealed(payload)) {
        this.#tell('not-sealed', where, 'no JWE');
        return null;
      }
      const openers = isAgents ? (deviceSealing?.device === device ? [deviceSealing.key] : []) : agent.sealing;
      if (openers.length === 0) return null;
      const opened = await openSealed(leaf, payload, openers);
      if (!opened.ok) {
        this.#tell('not-sealed', where, opened.failure.detail ?? '');
        return null;
      }
      signed = opened.value;
    }
    const keys = isAgents ? agent.agents : [signing];
    const schema = messageForms[leaf].schema as Parameters<typeof openSigned<Content>>[2];
    const read = await openSigned(leaf, signed, schema, keys, { facility: agent.facility, device });
    if (read.ok) return read.value;
    const isForged = read.failure.code === 'message.forged';
    if (!this.#isProbe(signed)) this.#tell(isForged ? 'signature' : 'form', where, read.failure.detail ?? '');
    return null;
  }

  /** What a probe has broken on purpose is nobody's fault. */
  #isProbe(signed: Uint8Array): boolean {
    const [, payload = ''] = new TextDecoder().decode(signed).split('.');
    const { commandId } = (parseJson(Buffer.from(payload, 'base64url')) ?? {}) as { commandId?: string };
    return commandId !== undefined && this.forgedCommands.has(commandId);
  }

  #judgeContent(leaf: TopicLeaf, content: Content, signer: string, where: string): void {
    switch (leaf) {
      case 'challenge-request':
        return this.#ask(content, String(content.challengeRequestId), where, Number(content.wanted));
      case 'lookup':
        if (!isCertificate(String(content.authCertificate))) this.#tell('form', where, 'authCertificate');
        return this.#ask(content, String(content.lookupId), where, 0);
      case 'challenge':
        return this.#judgeChallenges(content, signer, where);
      case 'lookup-result':
        return this.#judgeLookupResult(content, where);
      case 'receipt':
        return this.#judgeReceipt(content as unknown as Receipt, where);
      case 'result':
        return this.#judgeResult(content, where);
      case 'command':
        return this.#judgeCommand(content as unknown as CommandMessage, where);
      case 'command-result':
        return this.#judgeCommandResult(content, where);
      case 'settings': {
        const { version } = content as unknown as SettingsMessage;
        if (version < this.#settingsVersion)
          this.#tell('settings-lower', where, `${this.#settingsVersion} → ${version}`);
        this.#settingsVersion = Math.max(version, this.#settingsVersion);
        return;
      }
      default:
        return;
    }
  }

  #ask({ device, requestedAt }: Content, id: string, where: string, wanted: number): void {
    this.#judgeInstant(where, 'requestedAt', Number(requestedAt));
    const key = `${device} ${id}`;
    if (this.#asked.has(key)) this.#tell('question-twice', where, 'id');
    this.#asked.set(key, wanted);
  }

  #judgeLookupResult({ device, lookupId, registered, certificateStatus }: Content, where: string): void {
    const key = `${device} ${lookupId}`;
    if (!this.#asked.has(key)) return this.#tell('answer-unasked', where, 'lookupId');
    const said = JSON.stringify([registered, certificateStatus]);
    if ((this.#lookupAnswers.get(key) ?? said) !== said) this.#tell('result-differs', where, said);
    this.#lookupAnswers.set(key, said);
  }

  #judgeCommand(command: CommandMessage, where: string): void {
    const { commandId, nonce } = command;
    if ((this.#commandNonces.get(nonce) ?? commandId) !== commandId) this.#tell('nonce-twice', where, 'nonce');
    this.#commandNonces.set(nonce, commandId);
    this.#judgeNonce(nonce, where);
    this.#commands.set(commandId, this.#commands.get(commandId) ?? { command, done: 0 });
  }

  #judgeNonce(nonce: string, where: string): void {
    const different = new Set(Buffer.from(nonce, 'base64url')).size;
    if (different < leastDifferentBytes) this.#tell('nonce-weak', where, `${different} / 32`);
  }

  #judgeChallenges(content: Content, signer: string, where: string): void {
    const wanted = this.#asked.get(`${content.device} ${content.challengeRequestId}`);
    if (wanted === undefined) this.#tell('answer-unasked', where, 'challengeRequestId');
    const apartMs = Number(content.agentTime) - this.#options.now();
    if (Math.abs(apartMs) > toleratedMs) this.#tell('agent-time', where, `agentTime ${Math.round(apartMs / 1_000)} s`);
    const challenges = content.challenges as readonly Challenge[];
    if (wanted !== undefined && challenges.length > wanted)
      this.#tell('challenges-too-many', where, `${challenges.length} > ${wanted}`);
    for (const challenge of challenges) {
      if (this.#challenges.has(challenge.nonce)) this.#tell('nonce-twice', where, 'nonce');
      this.#judgeNonce(challenge.nonce, where);
      if (challenge.agent !== signer) this.#tell('other-agent', where, challenge.agent);
      const lifeMs = challenge.expiresAt - Math.max(challenge.issuedAt, this.#options.now());
      if (lifeMs < leastLifeMs) this.#tell('challenge-short', where, `${Math.round(lifeMs / 1_000)} s`);
      this.#challenges.set(challenge.nonce, { ...challenge, device: content.device });
    }
  }

  async #judgeRequest(where: string, entry: DeviceEntry, payload: Uint8Array): Promise<void> {
    const { agent, trust, now } = this.#options;
    if (!isSealed(payload)) return this.#tell('not-sealed', where, 'no JWE');
    const opened = await openSealed('request', payload, agent.sealing);
    if (!opened.ok) return this.#tell('not-sealed', where, opened.failure.detail ?? '');
    const document = parseDocument(opened.value);
    if (!document.ok) return this.#tell('form', where, document.failure.detail ?? '');
    const { request } = document.value;
    const before = this.findings.length;
    const proven = await verifyEvidence(opened.value, {
      ...{
        facility: agent.facility,
        device: entry,
        approvers: [request.agent],
        agents: agent.agents,
        trust,
        nowMs: now(),
      },
    });
    if (!proven.ok) this.#tell('evidence', where, proven.failure.detail ?? proven.failure.code);
    this.#judgeConsents(where, request);
    const { requestId } = request;
    const documentHash = hashOf(opened.value);
    this.#judgeMoment(where, request, documentHash);
    const isWrong = this.findings.slice(before).some(({ rule }) => rule !== 'sent-after-receipt');
    this.#documents.set(
      documentHash,
      this.#documents.get(documentHash) ?? { requestId, device: request.device, isWrong },
    );
    this.#requests.set(requestId, this.#requests.get(requestId) ?? documentHash);
  }

  /** What was agreed to is told by the hash of what was shown: one that is no text of the catalogue proves nothing. */
  #judgeConsents(where: string, { catalogueVersion, consents }: EligibilityRequest): void {
    const texts = this.#options.consentTexts();
    if (!texts.versions.has(catalogueVersion)) this.#tell('consent-text', where, catalogueVersion);
    for (const consent of consents)
      if (!texts.isShown(consent) && !texts.isConfirmed(consent))
        this.#tell('consent-text', where, `${consent.code} ${consent.language}`);
  }

  /** Challenge, expiry, repetition: what the payload says against what went before. */
  #judgeMoment(where: string, request: EligibilityRequest, documentHash: string): void {
    const { requestId, challenge: nonce, expiresAt } = request;
    this.#judgeInstant(where, 'issuedAt', request.issuedAt);
    const challenge = this.#challenges.get(nonce);
    if (challenge?.device !== request.device) this.#tell('challenge-unknown', where, 'challenge');
    else {
      if (challenge.agent !== request.agent) this.#tell('other-agent', where, request.agent);
      if (expiresAt > challenge.expiresAt)
        this.#tell('longer-than-challenge', where, `${expiresAt - challenge.expiresAt} ms`);
    }
    if (expiresAt <= this.#options.now()) this.#tell('sent-expired', where, `${this.#options.now() - expiresAt} ms`);
    const user = this.#usedBy.get(nonce);
    if (user !== undefined && user !== requestId) this.#tell('challenge-twice', where, 'challenge');
    this.#usedBy.set(nonce, user ?? requestId);
    if ((this.#requests.get(requestId) ?? documentHash) !== documentHash)
      this.#tell('same-id-other-document', where, 'requestId');
    if (this.#receipts.has(`${requestId} ${documentHash}`)) this.#tell('sent-after-receipt', where, 'requestId');
  }

  #judgeReceipt({ requestId, device, documentHash, receivedAt, verdict, code }: Receipt, where: string): void {
    this.#judgeInstant(where, 'receivedAt', receivedAt);
    const said = `${verdict} ${code ?? ''}`.trim();
    const key = `${requestId} ${documentHash}`;
    const before = this.#receipts.get(key);
    if (before !== undefined && before !== said) this.#tell('receipt-differs', where, `${before}, ${said}`);
    this.#receipts.set(key, before ?? said);
    if (!this.#requests.has(requestId)) return this.#tell('answer-unasked', where, 'requestId');
    const document = this.#documents.get(documentHash);
    if (document?.requestId !== requestId) return this.#tell('receipt-hash', where, 'documentHash');
    if (document.device !== device) return this.#tell('answer-unasked', where, 'requestId');
    if (document.isWrong && verdict === 'accepted') this.#tell('accepted-wrong', where, said);
  }

  #judgeResult(content: Content, where: string): void {
    const requestId = String(content.requestId);
    const { outcome, code, qualificationValidity } = content;
    const said = JSON.stringify([outcome, code, qualificationValidity]);
    const before = this.#results.get(requestId);
    if (before !== undefined && before !== said) this.#tell('result-differs', where, said);
    this.#results.set(requestId, said);
    const document = this.#requests.get(requestId);
    if (document === undefined) this.#tell('answer-unasked', where, 'requestId');
    else if (!this.#receipts.has(`${requestId} ${document}`))
      this.#tell('result-before-receipt', where, String(outcome));
  }

  #judgeCommandResult({ commandId, outcome }: Content, where: string): void {
    const id = String(commandId);
    const known = this.#commands.get(id);
    if (outcome !== 'done') return;
    if (this.forgedCommands.has(id)) return this.#tell('command-forged-done', where, 'done');
    if (known === undefined) return this.#tell('answer-unasked', where, 'commandId');
    known.done += 1;
    if (known.command.expiresAt <= this.#options.now()) this.#tell('command-expired-done', where, 'done');
    // A self-test answers when it begins and when it ends.
    if (known.done > (known.command.command.name === 'self-test' ? 2 : 1))
      this.#tell('command-twice-done', where, 'done');
  }
}

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
};

const isCertificate = (text: string): boolean => {
  try {
    new X509Certificate(Buffer.from(text, 'base64url'));
    return true;
  } catch {
    return false;
  }
};

const isSealed = (payload: Uint8Array): boolean => {
  try {
    return decodeProtectedHeader(new TextDecoder().decode(payload)).alg === 'ECDH-ES';
  } catch {
    return false;
  }
};
