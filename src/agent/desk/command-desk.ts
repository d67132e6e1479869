import { randomBytes, randomUUID } from 'node:crypto';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { fromBase64url } from '../../protocol/base64url.ts';
import { openSigned, sign } from '../../trust/seal.ts';
import { type CommandMessage, commandResultSchema, type StaffApproval, testApprover } from '../../wire/messages.ts';
import type { SelfTest } from '../../wire/self-test-report.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';
import { keepIfPossible } from '../disk-watch.ts';
import type { LookupMemory } from '../intake/lookup-memory.ts';
import type { Lanes } from './lanes.ts';

/** A command is of use for this long; its answer is awaited as long. ms */
const commandLifeMs = 15_000;
/** The line is tried out soon after the order. ms */
const selfTestApprovalMs = 60_000;
/** A test by hand takes 70 s; one that has told nothing after this will not. ms */
export const selfTestMs = 3 * 60_000;
/** Orders that version 1 of the wire has words for. */
const v1Orders: ReadonlySet<string> = new Set(['approve-staff-check', 'cancel-session', 'restart', 'test-visit']);
/** The patient has this long to finish the visit for which staff looked at card and face. ms */
const approvalLifeMs = 10 * 60_000;

export type CommandAnswer = { readonly outcome: 'done' | 'refused'; readonly code?: string };

/** The newest support bundle of a terminal: gzip of one JSON document, as that terminal signed it. */
type Bundle = { readonly at: number; readonly bytes: Uint8Array };

/** Signed orders of staff to a terminal, each answered once or given up. */
export class CommandDesk {
  readonly #context: AgentContext;
  readonly #post: AgentPost;
  readonly #lanes: Lanes;
  readonly #memory: LookupMemory;
  /** Self-tests that have begun, by their order: where their report is kept */
  readonly #tests = new Map<string, { readonly device: string; readonly lane: number; readonly at: number }>();
  readonly #bundles = new Map<string, Bundle>();
  readonly #open = new Map<string, { readonly device: string; readonly answer: (answer: CommandAnswer) => void }>();

  constructor(context: AgentContext, post: AgentPost, known: { readonly lanes: Lanes; readonly memory: LookupMemory }) {
    this.#context = context;
    this.#post = post;
    this.#lanes = known.lanes;
    this.#memory = known.memory;
  }

  /**
   * `delivery.offline`: the broker, or no answer of the terminal in time; `message.malformed`: no such terminal, or one whose
   * release does not know the order.
   */
  async send(
    deviceId: string,
    command: CommandMessage['command'],
    commandId: string = randomUUID(),
  ): Promise<Result<CommandAnswer>> {
    const device = this.#context.devices().get(deviceId);
    if (device === undefined || device.revoked) return err(failure('message.malformed', 'no such terminal'));
    if (!v1Orders.has(command.name) && this.#lanes.wireOf(deviceId) < 2)
      return err(failure('message.malformed', 'its release knows no such order'));
    const { clock } = this.#context;
    const now = clock.now();
    const message = {
      commandId,
      nonce: randomBytes(32).toString('base64url'),
      issuedAt: now.wallMs,
      expiresAt: now.wallMs + commandLifeMs,
      command,
    };
    const answered = new Promise<CommandAnswer | null>((resolve) => {
      const cancel = clock.wakeAt(now.monotonicMs + commandLifeMs, () => resolve(null));
      const answer = (value: CommandAnswer): void => {
        cancel();
        resolve(value);
      };
      this.#open.set(commandId, { device: deviceId, answer });
    });
    const sent = await this.#post.signed(device, 'command', message, commandId);
    const answer = sent.ok ? await answered : null;
    this.#open.delete(commandId);
    if (!sent.ok) return sent;
    return answer === null ? err(failure('delivery.offline', 'no answer to the command')) : ok(answer);
  }

  /** `command-result` */
  async receive({ device, payload }: Incoming): Promise<Result<void>> {
    const addressee = { facility: this.#context.keys().facility, device: device.device };
    const opened = await openSigned('command-result', payload, commandResultSchema, [device.signing], addressee);
    if (!opened.ok) return opened;
    const { commandId, outcome, code, selfTest, bundle } = opened.value.message;
    if (selfTest !== undefined) this.#keepTest(commandId, device.device, selfTest);
    const open = this.#open.get(commandId);
    const bytes = open?.device === device.device && bundle !== undefined ? fromBase64url(bundle) : null;
    if (bytes !== null) this.#bundles.set(device.device, { at: this.#context.clock.now().wallMs, bytes });
    if (open?.device === device.device) open.answer({ outcome, ...(code !== undefined && { code }) });
    return ok(undefined);
  }

  /** In memory, until the agent begins anew */
  bundleOf(deviceId: string): Bundle | undefined {
    return this.#bundles.get(deviceId);
  }

  /**
   * 目視確認: the approver compared the printed photo with the person. For exactly the session that the terminal shows
   * now, and for the card that it began with; signed, written down (who, when, which session) before it is sent; good for one
   * use and ten minutes.
   */
  async approve(deviceId: string, session: string, approver: string): Promise<Result<CommandAnswer>> {
    const lane = this.#lanes.all().find(({ device }) => device === deviceId);
    if (lane?.state?.session !== session) return err(failure('message.stale', 'the patient at this lane has changed'));
    const { approval, signed } = await this.#approval(deviceId, session, approver, approvalLifeMs);
    const certificate = this.#memory.certificateOf(session, approval.approvedAt);
    this.#context.journal.addApproval({ ...approval, ...(certificate !== undefined && { certificate }) });
    this.#context.log.event('staff.approved', { session });
    return this.send(deviceId, { name: 'approve-staff-check', session, approval: signed });
  }

  /** テスト受付: the terminal signs and sends a request about nobody; its answer comes once receipt and result are there. */
  async testVisit(deviceId: string, session: string): Promise<Result<CommandAnswer>> {
    const { signed } = await this.#approval(deviceId, session, testApprover, commandLifeMs);
    return this.send(deviceId, { name: 'test-visit', session, approval: signed });
  }

  /**
   * 始業前点検: answered once the terminal has begun. What it found comes when it ends, and is kept in the journal under the
   * instant of the order. `byHand`: somebody stands there, presses keys, listens and looks.
   */
  async selfTest(deviceId: string, byHand: boolean): Promise<Result<CommandAnswer>> {
    const { journal, disk } = this.#context;
    const session = randomUUID();
    const commandId = randomUUID();
    const { approval, signed } = await this.#approval(deviceId, session, testApprover, selfTestApprovalMs);
    const at = approval.approvedAt;
    const lane = this.#lanes.all().find(({ device }) => device === deviceId)?.lane ?? 0;
    for (const [id, test] of this.#tests) if (at - test.at > selfTestMs) this.#tests.delete(id);
    this.#tests.set(commandId, { device: deviceId, lane, at });
    const answer = await this.send(deviceId, { name: 'self-test', session, approval: signed, byHand }, commandId);
    if (answer.ok && answer.value.outcome === 'done')
      keepIfPossible(disk, () => journal.selfTests.began(deviceId, lane, at));
    else this.#tests.delete(commandId);
    return answer;
  }

  /** The report of a test that was ordered here, from the terminal that it was ordered of, once. */
  #keepTest(commandId: string, device: string, report: SelfTest): void {
    const test = this.#tests.get(commandId);
    if (test?.device !== device) return;
    this.#tests.delete(commandId);
    const { journal, disk, changed } = this.#context;
    keepIfPossible(disk, () => {
      journal.selfTests.began(device, test.lane, test.at);
      journal.selfTests.keep(device, test.at, report);
    });
    changed();
  }

  async #approval(device: string, session: string, approver: string, lifeMs: number) {
    const { keys, clock } = this.#context;
    const approvedAt = clock.now().wallMs;
    const { facility, signing } = keys();
    const approval: StaffApproval = { facility, device, session, approver, approvedAt, expiresAt: approvedAt + lifeMs };
    return { approval, signed: new TextDecoder().decode(await sign('staff-approval', approval, signing)) };
  }
}
