import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeCardTrust } from '../../src/agent/provisioning/card-trust.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import type { ClinicEvent, ClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import type { SignedRequest } from '../../src/terminal/delivery/sign-request.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import type { Challenge } from '../../src/wire/messages.ts';
import { endChild } from './end-child.ts';
import { cardKeys, certificateFor, pinCard } from './evidence-fixtures.ts';
import { authority } from './test-cards.ts';
import { testRequest, testSettings } from './test-facility.ts';

const root = new URL('../../', import.meta.url).pathname;

/** Serial number of a certificate whom the simulated national service knows */
const knownSerial = '5E570001';

export type AgentReady = { readonly staffPage: string; readonly journal: string; readonly oqsFolder: string };

/** What the agent's directory needs beside its keys: settings and trust anchors of the test card authority. */
export const furnishAgent = async (agentDirectory: string, settings: Partial<FacilitySettings> = {}): Promise<void> => {
  writeFileSync(join(agentDirectory, 'facility-settings.yaml'), JSON.stringify({ ...testSettings, ...settings }));
  await writeCardTrust(join(agentDirectory, 'card-trust'), {
    certificateIssuersPem: authority.caCertificatePem,
    cvIssuersJson: authority.cvIssuersJson,
  });
};

/** `uketsuke agent` as a process of its own. */
export class AgentProcess {
  readonly #command: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  #process: ChildProcess | null = null;
  /** Every line that it logs */
  onLine: (line: string) => void = () => {};
  readonly #logged = new Map<string, number>();

  /** `within`: a command before it, such as `ip netns exec NAME`. */
  constructor(
    agentDirectory: string,
    broker: string,
    within: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
  ) {
    this.#environment = environment;
    this.#command = [
      ...[...within, process.execPath, join(root, 'src/main.ts'), 'agent', '--dir', agentDirectory],
      ...['--broker', broker, '--staff-port', '0', '--service-delay-ms', '0', '--make-folders', '--log', 'json'],
    ];
  }

  get processId(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the agent is not running');
    return pid;
  }

  /** Resolves with its ready line. `readyMs`: where it has more to read than a clinic's agent */
  async start(more: readonly string[] = [], readyMs = 30_000): Promise<AgentReady> {
    const [command = '', ...rest] = [...this.#command, ...more];
    const child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#environment },
    });
    this.#process = child;
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      this.onLine(line);
      if (said.length > 50) said.shift();
      const event = /"event":"([a-z.-]+)"/.exec(line)?.[1];
      if (event !== undefined) this.#logged.set(event, this.timesLogged(event) + 1);
    });
    return new Promise((resolve, reject) => {
      const explain = (what: string): Error => new Error(`agent: ${what}\n${said.join('\n')}`);
      const timer = setTimeout(() => reject(explain(`not ready in ${readyMs / 1000} s`)), readyMs);
      child.once('exit', (code, signal) => reject(explain(`ended with ${code ?? signal}`)));
      createInterface({ input: child.stdout }).once('line', (line) => {
        clearTimeout(timer);
        resolve(JSON.parse(line) as AgentReady);
      });
    });
  }

  /** How often this event stood in the log, over all lives of the process. */
  timesLogged(event: string): number {
    return this.#logged.get(event) ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.processId, signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    await endChild(child, signal);
  }
}

/** Signs requests as a visit by PIN would, with a card whose certificate is good at `nowMs`: the clock of whoever checks it. */
export const makeVisitor = async (nowMs: number) => {
  const keys = await cardKeys();
  const certificate = await certificateFor(keys.auth, nowMs, { serial: knownSerial });
  const card = pinCard(certificate, keys.auth);
  return {
    card,
    certificate,
    /** At the terminal front-1 unless `terminal` says otherwise. */
    sign: async (
      link: Pick<ClinicLink, 'sign'>,
      challenge: Challenge,
      terminal: { readonly device?: string; readonly lane?: number } = {},
    ): Promise<SignedRequest> => {
      const plain = testRequest({
        issuedAt: challenge.issuedAt,
        agent: challenge.agent,
        challenge: challenge.nonce,
        expiresAt: challenge.expiresAt,
        authCertificate: toBase64url(certificate),
        ...terminal,
      });
      const signed = await link.sign(plain, card);
      if (!signed.ok) throw new Error(signed.failure.detail ?? signed.failure.code);
      return signed.value;
    },
  };
};

/** Everything the link told, and promises for what it will tell. */
export class LinkWatch {
  readonly events: (ClinicEvent & { readonly atMs: number })[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(link: ClinicLink) {
    link.subscribe((event) => {
      this.events.push({ ...event, atMs: performance.now() });
      for (const look of [...this.#waiting]) look();
    });
  }

  /** Resolves as soon as `find` answers something for what was told so far. */
  until<T>(what: string, find: (events: LinkWatch['events']) => T | undefined, deadlineMs = 30_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find(this.events);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`not within ${deadlineMs} ms: ${what}`));
      }, deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }

  receipt(requestId: string, deadlineMs?: number) {
    return this.until(
      `receipt of ${requestId}`,
      (events) => events.find((event) => event.type === 'receipt' && event.receipt.requestId === requestId),
      deadlineMs,
    );
  }

  result(requestId: string, deadlineMs?: number) {
    return this.until(
      `result of ${requestId}`,
      (events) => events.find((event) => event.type === 'result' && event.result.requestId === requestId),
      deadlineMs,
    );
  }

  ready(deadlineMs?: number) {
    return this.until(
      'challenges',
      (events) => events.filter(({ type }) => type === 'challenges-ready').at(-1),
      deadlineMs,
    );
  }
}
