import type { Session } from '../../core/visit/session.ts';
import { visitOf } from '../../core/visit/session-steps.ts';
import type { KeypadEvent } from '../../ports/keypad.ts';
import { toBase64url } from '../../protocol/base64url.ts';
import type { CommandMessage } from '../../wire/messages.ts';
import type { TerminalAbout } from '../../wire/terminal-about.ts';
import { countReturns } from './part-returns.ts';
import { type Borrowed, selfTest } from './self-test.ts';
import type { SessionParts } from './session-parts.ts';
import { testVisit } from './test-visit.ts';
import { type PartsTried, tryParts } from './try-parts.ts';
import type { Told } from './visit-effects.ts';

type Order<N extends CommandMessage['command']['name']> = Extract<CommandMessage['command'], { name: N }>;
type Answer = (done: boolean, code?: string) => void;

/** What orders need of the session that runs. */
type Running = {
  readonly session: () => Session;
  readonly catalogueVersion: () => string;
  readonly tell: (event: Told) => void;
  readonly shine: Borrowed['shine'];
};

/** Carries out what the clinic's end has signed; each order is answered by what has come of it here. */
export class StaffOrders {
  readonly #parts: SessionParts;
  readonly #running: Running;
  /** What is being tested; a visit that begins stops what has borrowed a part */
  #testing: { readonly byHand: boolean; readonly stop: AbortController; readonly ends: Promise<void> } | null = null;
  #keyListener: ((event: KeypadEvent) => void) | null = null;

  #about: TerminalAbout;
  readonly #endCounting: () => void;

  constructor(parts: SessionParts, running: Running) {
    this.#parts = parts;
    this.#running = running;
    const { boot, log } = parts.machine ?? {};
    this.#about = {
      run: parts.newId(),
      ...(boot !== undefined && { boot }),
      logLevel: log?.level ?? 'info',
      returns: { reader: 0, face: 0, screen: 0 },
    };
    this.#tellAbout({});
    this.#endCounting = countReturns(parts, (returns) => this.#tellAbout({ returns }));
  }

  close(): void {
    this.visitBegan();
    this.#endCounting();
  }

  /** The newest test request, monotonic ms; null: none since the start */
  lastTest: { readonly ok: boolean; readonly atMs: number } | null = null;

  carryOut({ commandId, expiresAt, command }: CommandMessage): void {
    const { clinic } = this.#parts;
    const answer: Answer = (done, code = 'message.stale') =>
      clinic.answerCommand(commandId, done ? { outcome: 'done' } : { outcome: 'refused', code });
    const { session, tell } = this.#running;
    const before = session().state.name;
    switch (command.name) {
      case 'approve-staff-check':
        tell({ type: 'StaffApproved', session: command.session, approval: command.approval });
        return answer(this.#verifiedByStaff(command.session));
      case 'cancel-session':
        tell({ type: 'StaffCancelled', session: command.session });
        return answer(session().state.name !== before);
      case 'answer-help':
        tell({ type: 'HelpAnswered' });
        return answer(session().help?.answered === true);
      case 'restart':
        return this.#restart(command, answer);
      case 'test-visit':
        return this.#testVisit(command, expiresAt, answer);
      case 'self-test':
        return this.#selfTest(commandId, command, answer);
      case 'reboot':
        return this.#reboot(answer);
      case 'log-level':
        return this.#setLogLevel(command, answer);
      case 'support-bundle':
        return void this.#supportBundle(commandId, answer);
      default:
        return command satisfies never;
    }
  }

  /** A patient comes first: what is being tested gives back what it has borrowed. */
  visitBegan(): void {
    this.#keyListener = null;
    this.#testing?.stop.abort();
  }

  /** For the doctor; what is ordered meanwhile waits until it is over. */
  async tryParts(): Promise<PartsTried> {
    if (!this.#isFree()) return { busy: true };
    const { promise, resolve } = Promise.withResolvers<PartsTried>();
    this.#test(false, async (signal) => resolve(await tryParts(this.#parts, signal)));
    return promise;
  }

  /** Whether a test of the keypad has taken this key: then it was nobody's. */
  takesKey(event: KeypadEvent): boolean {
    this.#keyListener?.(event);
    return this.#keyListener !== null;
  }

  #verifiedByStaff(session: string): boolean {
    const visit = visitOf(this.#running.session().state);
    return (
      visit?.session === session && visit.verification.state === 'verified' && visit.verification.method === 'staff'
    );
  }

  #restart({ part }: Order<'restart'>, answer: Answer): void {
    const restart = this.#parts.restart[part];
    answer(restart !== undefined);
    restart?.();
  }

  /** Never below a patient's hands. */
  #reboot(answer: Answer): void {
    const reboot = this.#parts.machine?.reboot;
    const isFree = visitOf(this.#running.session().state) === null;
    answer(reboot !== undefined && isFree);
    if (isFree) reboot?.();
  }

  #setLogLevel({ level }: Order<'log-level'>, answer: Answer): void {
    const log = this.#parts.machine?.log;
    log?.setLevel(level);
    answer(log !== undefined);
    if (log !== undefined) this.#tellAbout({ logLevel: log.level });
  }

  async #supportBundle(commandId: string, answer: Answer): Promise<void> {
    const bundle = await this.#parts.machine?.supportBundle?.().catch(() => undefined);
    if (bundle === undefined) return answer(false);
    this.#parts.clinic.answerCommand(commandId, { outcome: 'done', bundle: toBase64url(bundle) });
    this.#tellAbout({ reported: commandId });
  }

  #tellAbout(change: Partial<TerminalAbout>): void {
    this.#about = { ...this.#about, ...change };
    this.#parts.clinic.tellAbout(this.#about);
  }

  #isFree(): boolean {
    const { state } = this.#running.session();
    return (state.name === 'idle' || state.name === 'outOfService') && this.#testing === null;
  }

  #test(byHand: boolean, test: (signal: AbortSignal) => Promise<void>): void {
    const stop = new AbortController();
    const ends = test(stop.signal).finally(() => {
      this.#testing = null;
      this.#keyListener = null;
    });
    this.#testing = { byHand, stop, ends };
  }

  /** Beside whatever a patient may begin meanwhile; not while a visit is going on. */
  #testVisit(order: Order<'test-visit'>, expiresAt: number, answer: Answer): void {
    const { clinic, clock } = this.#parts;
    const { state } = this.#running.session();
    const isOnTrial = state.name === 'outOfService' && state.failure.code === 'update.on-trial';
    if (state.name === 'outOfService' && !isOnTrial) return answer(false, state.failure.code);
    // Keys that are pressed by hand take longer than the order is good for.
    if ((state.name !== 'idle' && !isOnTrial) || this.#testing?.byHand === true) return answer(false);
    // The clinic tests by itself, and somebody presses the button meanwhile: one after the other, while anybody waits for it.
    if (this.#testing !== null)
      return void this.#testing.ends.then(() => {
        const isTooLate = (clinic.agentNowMs() ?? expiresAt) >= expiresAt;
        if (isTooLate) answer(false);
        else this.#testVisit(order, expiresAt, answer);
      });
    this.#test(false, async () => {
      const tested = await testVisit(this.#parts, order, this.#running.catalogueVersion());
      this.lastTest = { ok: tested.ok, atMs: clock.now().monotonicMs };
      if (tested.ok) answer(true);
      else answer(false, tested.failure.code);
    });
  }

  /** Also out of service: that is when somebody wants to know which part it is. */
  #selfTest(commandId: string, order: Order<'self-test'>, answer: Answer): void {
    if (!this.#isFree()) return answer(false);
    answer(true);
    this.#test(order.byHand, async (signal) => {
      const borrowed: Borrowed = {
        keys: (listener) => {
          if (!signal.aborted) this.#keyListener = listener;
          return () => {
            if (this.#keyListener === listener) this.#keyListener = null;
          };
        },
        shine: this.#running.shine,
      };
      const how = { catalogueVersion: this.#running.catalogueVersion(), borrowed, signal };
      const report = await selfTest(this.#parts, order, how);
      this.#parts.clinic.answerCommand(commandId, { outcome: 'done', selfTest: report });
      this.#tellAbout({ reported: commandId });
    });
  }
}
