import { decodeProtectedHeader } from 'jose';
import { verifyEvidence } from '../../agent/intake/verify-evidence.ts';
import type { AgentKeys, DeviceEntry } from '../../agent/provisioning/agent-keys.ts';
import type { CardTrust } from '../../agent/provisioning/card-trust.ts';
import { parseDocument } from '../../protocol/evidence.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { openSealed, openSigned, type SealingPrivateKey } from '../../trust/seal.ts';
import { messageForms } from '../../wire/message-forms.ts';
import type { Challenge, CommandMessage, EligibilityRequest, Receipt, SettingsMessage } from '../../wire/messages.ts';
import { parseTopic, publisherOf, type TopicLeaf } from '../../wire/topics.ts';
import type { Finding } from '../finding.ts';
import type { BusRule } from './bus-rules.ts';

type BusJudgeOptions = {
  /** Of the facility: opens what terminals seal */
  readonly agent: AgentKeys;
  readonly devices: ReadonlyMap<string, DeviceEntry>;
  readonly trust: CardTrust;
  /** Opens what is sealed to a terminal, where its keys are at hand; without them results are seen, not read */
  readonly deviceSealing?: SealingPrivateKey;
  /** The agent's clock, ms */
  readonly now: () => number;
};

/** `isWrong`: an agent must refuse it. */
type SeenDocument = { readonly requestId: string; readonly isWrong: boolean };
type Addressed = { readonly facility: string; readonly device: string };
type Content = Addressed & Readonly<Record<string, unknown>>;

/** Any less, and a visit may not begin with it (the terminal asks for five minutes and what is on its way). ms */
const leastLifeMs = 300_000;

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
  readonly #asked = new Set<string>();
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

  /** In the order of their coming. */
  see(topic: string, payload: Uint8Array): Promise<void> {
    this.#messages += 1;
    this.#turn = this.#turn.then(() => this.#judge(topic, payload));
    return this.#turn;
  }

  #tell(rule: BusRule, where: string, seen: string): void {
    this.findings.push({ rule, where, seen });
  }

  async #judge(topic: string, payload: Uint8Array): Promise<void> {
    const parsed = parseTopic(topic);
    if (parsed === null) return this.#tell('topic-unknown', topic, `${payload.length} bytes`);
    const { leaf, device } = parsed;
    const where = `${device}/${leaf}`;
    const entry = this.#options.devices.get(device);
    if (entry === undefined) return this.#tell('topic-unknown', topic, 'no such terminal');
    if (messageForms[leaf].envelope === 'plain') {
      const state = messageForms[leaf].schema.safeParse(parseJson(payload));
      if (!state.success) this.#tell('form', where, state.error.issues[0]?.path.join('.') ?? 'shape');
      return;
    }
    if (leaf === 'request') return this.#judgeRequest(where, entry, payload);
    const content = await this.#open(leaf, entry, payload, where);
    if (content !== null) this.#judgeContent(leaf, content, where);
  }

  /** What a signed message says, its seal opened first. null: told already, or sealed to whom we are not. */
  async #open(
    leaf: TopicLeaf,
    { device, signing }: DeviceEntry,
    payload: Uint8Array,
    where: string,
  ): Promise<Content | null> {
    const { agent, deviceSealing } = this.#options;
    const isAgents = publisherOf[leaf] === 'agent';
    let signed = payload;
    if (messageForms[leaf].envelope === 'sealed') {
      if (!isSealed(payload)) {
        this.#tell('not-sealed', where, 'no JWE');
        return null;
      }
      const openers = isAgents ? (deviceSealing === undefined ? [] : [deviceSealing]) : agent.sealing;
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
    if (read.ok) return read.value.message;
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

  #judgeContent(leaf: TopicLeaf, content: Content, where: string): void {
    switch (leaf) {
      case 'challenge-request':
        return this.#ask(String(content.challengeRequestId), where);
      case 'lookup':
        return this.#ask(String(content.lookupId), where);
      case 'challenge':
        return this.#judgeChallenges(content, where);
      case 'lookup-result':
        if (!this.#asked.has(String(content.lookupId))) this.#tell('answer-unasked', where, 'lookupId');
        return;
      case 'receipt':
        return this.#judgeReceipt(content as unknown as Receipt, where);
      case 'result':
        return this.#judgeResult(content, where);
      case 'command':
        return void this.#commands.set(
          String(content.commandId),
          this.#commands.get(String(content.commandId)) ?? { command: content as unknown as CommandMessage, done: 0 },
        );
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

  #ask(id: string, where: string): void {
    if (this.#asked.has(id)) this.#tell('question-twice', where, 'id');
    this.#asked.add(id);
  }

  #judgeChallenges(content: Content, where: string): void {
    if (!this.#asked.has(String(content.challengeRequestId))) this.#tell('answer-unasked', where, 'challengeRequestId');
    for (const challenge of content.challenges as readonly Challenge[]) {
      if (this.#challenges.has(challenge.nonce)) this.#tell('nonce-twice', where, 'nonce');
      const lifeMs = challenge.expiresAt - challenge.issuedAt;
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
    const { requestId } = request;
    const documentHash = hashOf(opened.value);
    this.#judgeMoment(where, request, documentHash);
    const isWrong = this.findings.slice(before).some(({ rule }) => rule !== 'sent-after-receipt');
    this.#documents.set(documentHash, this.#documents.get(documentHash) ?? { requestId, isWrong });
    this.#requests.set(requestId, this.#requests.get(requestId) ?? documentHash);
  }

  /** Challenge, expiry, repetition: what the payload says against what went before. */
  #judgeMoment(where: string, request: EligibilityRequest, documentHash: string): void {
    const { requestId, challenge: nonce, expiresAt } = request;
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

  #judgeReceipt({ requestId, documentHash, verdict, code }: Receipt, where: string): void {
    const said = `${verdict} ${code ?? ''}`.trim();
    const key = `${requestId} ${documentHash}`;
    const before = this.#receipts.get(key);
    if (before !== undefined && before !== said) this.#tell('receipt-differs', where, `${before}, ${said}`);
    this.#receipts.set(key, before ?? said);
    if (!this.#requests.has(requestId)) return this.#tell('answer-unasked', where, 'requestId');
    const document = this.#documents.get(documentHash);
    if (document?.requestId !== requestId) return this.#tell('receipt-hash', where, 'documentHash');
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

const isSealed = (payload: Uint8Array): boolean => {
  try {
    return decodeProtectedHeader(new TextDecoder().decode(payload)).alg === 'ECDH-ES';
  } catch {
    return false;
  }
};
