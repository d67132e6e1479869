import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { writeCardTrust } from '../../src/agent/provisioning/card-trust.ts';
import { addStaffMember } from '../../src/agent/staff-page/staff-codes.ts';
import type { MessageBus } from '../../src/ports/message-bus.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import { type CardEvidence, signRequest } from '../../src/terminal/delivery/sign-request.ts';
import { openSealedAndSigned, openSigned, sign } from '../../src/trust/seal.ts';
import {
  type CommandMessage,
  challengesSchema,
  commandSchema,
  type EligibilityRequest,
  type Receipt,
  type ResultMessage,
  receiptSchema,
  resultSchema,
} from '../../src/wire/messages.ts';
import { type TopicLeaf, topicOf } from '../../src/wire/topics.ts';
import { endChild } from './end-child.ts';
import { cardKeys, certificateFor } from './evidence-fixtures.ts';
import { authority } from './test-cards.ts';
import { facility, makeTestFacility, type TestFacility, testRequest, testSettings } from './test-facility.ts';
import { within } from './within.ts';

type Ready = { readonly staffPage: string; readonly brokerPort: number; readonly journal: string };
const main = new URL('../../src/main.ts', import.meta.url).pathname;
const device = 'front-1';
const addressee = { facility, device };

/** `uketsuke agent --embedded-broker` as a process that can be killed and started again, with a terminal in somebody's hand. */
export class RealAgent {
  readonly testFacility: TestFacility;
  readonly keys: Awaited<ReturnType<typeof cardKeys>>;
  readonly #certificates = new Map<string, Uint8Array>();
  #child: ChildProcess | null = null;
  #bus: MessageBus | null = null;
  ready: Ready = { staffPage: '', brokerPort: 0, journal: '' };
  receipts: Receipt[] = [];
  results: ResultMessage[] = [];
  commands: CommandMessage[] = [];
  #challenges: { nonce: string; expiresAt: number }[] = [];

  constructor(testFacility: TestFacility, keys: Awaited<ReturnType<typeof cardKeys>>) {
    this.testFacility = testFacility;
    this.keys = keys;
  }

  static async provision(): Promise<RealAgent> {
    const testFacility = await makeTestFacility();
    const { agentDirectory } = testFacility;
    await writeCardTrust(join(agentDirectory, 'card-trust'), {
      certificateIssuersPem: authority.caCertificatePem,
      cvIssuersJson: authority.cvIssuersJson,
    });
    writeFileSync(join(agentDirectory, 'facility-settings.yaml'), stringify(testSettings));
    await addStaffMember(join(agentDirectory, 'staff.json'), { approver: 'nurse-1', label: '看護師' }, '2580');
    return new RealAgent(testFacility, await cardKeys());
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async start(...more: readonly string[]): Promise<void> {
    const { agentDirectory, directory } = this.testFacility;
    const ports = [
      '--broker-port',
      '0',
      '--staff-port',
      '0',
      '--service-delay-ms',
      '0',
      '--make-folders',
      '--log',
      'silent',
    ];
    const args = [
      main,
      'agent',
      '--dir',
      agentDirectory,
      '--embedded-broker',
      '--facility-dir',
      directory,
      ...ports,
      ...more,
    ];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    if (child.stdout === null) throw new Error('no output');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    this.ready = JSON.parse(line) as Ready;
    await this.#connect();
  }

  async kill(): Promise<void> {
    await this.#bus?.close();
    this.#bus = null;
    const child = this.#child;
    this.#child = null;
    await endChild(child, 'SIGKILL');
  }

  async #connect(): Promise<void> {
    const keys = this.testFacility.device;
    const bus = createMqttMessageBus({
      ...{ host: '127.0.0.1', serverName: 'localhost', port: this.ready.brokerPort, tls: keys.tls, clientId: device },
      protocolVersion: 4,
    });
    this.#bus = bus;
    const hear = (leaf: TopicLeaf, heard: (payload: Uint8Array) => Promise<void>): void => {
      bus.subscribe(topicOf(facility, device, leaf), ({ payload }) => void heard(payload));
    };
    hear('receipt', async (payload) => {
      const opened = await openSigned('receipt', payload, receiptSchema, keys.agents, addressee);
      if (opened.ok) this.receipts.push(opened.value.message);
    });
    hear('result', async (payload) => {
      const opened = await openSealedAndSigned('result', payload, resultSchema, [keys.sealing], keys.agents, addressee);
      if (opened.ok) this.results.push(opened.value.message);
    });
    hear('command', async (payload) => {
      const opened = await openSigned('command', payload, commandSchema, keys.agents, addressee);
      if (!opened.ok) return;
      this.commands.push(opened.value.message);
      const { commandId } = opened.value.message;
      await this.publish(
        'command-result',
        await sign('command-result', { ...addressee, commandId, outcome: 'done' }, keys.signing),
      );
    });
    hear('challenge', async (payload) => {
      const opened = await openSigned('challenge', payload, challengesSchema, keys.agents, addressee);
      if (opened.ok) this.#challenges.push(...opened.value.message.challenges);
    });
    let connected = false;
    bus.subscribeConnection((is) => {
      connected = is;
    });
    if (!(await within(15_000, () => connected))) throw new Error('the terminal in our hand is not served');
  }

  async publish(leaf: TopicLeaf, payload: Uint8Array): Promise<boolean> {
    return (await this.#bus?.publish(topicOf(facility, device, leaf), payload))?.ok ?? false;
  }

  async state(more: object): Promise<void> {
    const state = {
      ...{ device, lane: 1, version: '0.1.0', profile: 'release', status: 'busy', phase: 'awaitingStaffCheck' },
      ...{ catalogueVersion: testRequest({ issuedAt: 0 }).catalogueVersion, since: Date.now(), ...more },
    };
    await this.publish('state', new TextEncoder().encode(JSON.stringify(state)));
  }

  async certificate(serial: string): Promise<Uint8Array> {
    const made = this.#certificates.get(serial) ?? (await certificateFor(this.keys.auth, Date.now(), { serial }));
    this.#certificates.set(serial, made);
    return made;
  }

  /** Answers the receipt's code, or its verdict; 'no receipt' when none came. */
  async request(card: CardEvidence, more: Partial<EligibilityRequest>): Promise<string> {
    const keys = this.testFacility.device;
    this.#challenges = [];
    // An agent that has just started may not listen yet.
    for (let tries = 0; tries < 15 && this.#challenges.length === 0; tries += 1) {
      const question = { ...addressee, challengeRequestId: crypto.randomUUID(), requestedAt: Date.now(), wanted: 1 };
      await this.publish('challenge-request', await sign('challenge-request', question, keys.signing));
      await within(2_000, () => this.#challenges.length > 0);
    }
    const [challenge] = this.#challenges;
    if (challenge === undefined) throw new Error('the agent gives no challenge');
    const request = testRequest({
      issuedAt: Date.now(),
      verificationMethod: card.method,
      ...(card.method === 'pin' && { authCertificate: toBase64url(card.authCertificate) }),
      ...{ challenge: challenge.nonce, expiresAt: challenge.expiresAt },
      ...more,
    });
    const facilityKey = keys.facilityKeys[0];
    if (facilityKey === undefined) throw new Error('no key');
    const signed = await signRequest(request, card, { device: keys.signing, facility: facilityKey });
    if (!signed.ok) return `not signed: ${signed.failure.code}`;
    return this.send(signed.value.sealed, request.requestId);
  }

  async send(sealed: Uint8Array, requestId: string): Promise<string> {
    const before = this.receipts.length;
    await this.publish('request', sealed);
    const find = () => this.receipts.slice(before).find((receipt) => receipt.requestId === requestId);
    await within(5_000, () => find() !== undefined);
    const receipt = find();
    return receipt === undefined ? 'no receipt' : (receipt.code ?? receipt.verdict);
  }

  /** The order of a form of the staff page, as its own script would send it; answers the page that follows. */
  async order(path: string, fields: Readonly<Record<string, string>>): Promise<string> {
    const page = await (await fetch(this.ready.staffPage)).text();
    const token = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const origin = this.ready.staffPage.slice(0, -1);
    const answer = await fetch(new URL(path, this.ready.staffPage), {
      ...{ method: 'POST', headers: { origin }, body: new URLSearchParams({ token, ...fields }) },
    });
    return answer.text();
  }

  makeFolder(name: string): string {
    const path = join(this.testFacility.directory, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  async close(): Promise<void> {
    await this.kill();
    this.testFacility.remove();
  }
}
