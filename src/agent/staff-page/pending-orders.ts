import type { StateMessage } from '../../wire/messages.ts';
import type { TestVisitReport } from '../desk/order-test-visit.ts';

/** An order that staff gave to a lane, until its effect was seen. `returned`: the terminal reported itself ready again. */
export type Order = {
  readonly what: 'restart' | 'approve' | 'cancel' | 'test-visit';
  readonly sentAt: number;
  /** The visit that went on there then: a word about it goes away with it */
  readonly session?: string;
  readonly state: 'sent' | 'done' | 'refused' | 'unanswered' | 'returned';
  readonly code?: string;
  readonly returnedAt?: number;
  /** Of a test visit */
  readonly report?: TestVisitReport;
};

/** An order is told this long; a restart that has not come back by then is a fault of its own. ms */
const shownMs = 5 * 60_000;

/** The last order of each lane. A restart counts as done only when the terminal has come back. */
export class PendingOrders {
  readonly #orders = new Map<string, Order>();

  start(device: string, what: Order['what'], nowMs: number, session?: string): void {
    this.#orders.set(device, { what, sentAt: nowMs, state: 'sent', ...(session === undefined ? {} : { session }) });
  }

  answered(device: string, state: 'done' | 'refused' | 'unanswered', code?: string): void {
    const order = this.#orders.get(device);
    // A terminal that restarts may be gone before its answer is: only its return decides.
    if (order?.state === 'sent') this.#orders.set(device, { ...order, state, ...(code === undefined ? {} : { code }) });
  }

  tested(device: string, report: TestVisitReport): void {
    const order = this.#orders.get(device);
    const state = report.code === null ? 'done' : 'refused';
    if (order?.what === 'test-visit') this.#orders.set(device, { ...order, state, report });
  }

  of(device: string, state: StateMessage | null, receivedAt: number | null, nowMs: number): Order | null {
    const order = this.#orders.get(device);
    if (order === undefined || nowMs - order.sentAt > shownMs) return null;
    if (order.session !== undefined && order.session !== state?.session) return null;
    const back = state !== null && receivedAt !== null && receivedAt > order.sentAt;
    const ready = state?.status === 'idle' || state?.status === 'busy';
    if (order.what !== 'restart' || order.state === 'refused' || order.state === 'returned' || !back || !ready)
      return order;
    const returned: Order = { ...order, state: 'returned', returnedAt: receivedAt };
    this.#orders.set(device, returned);
    return returned;
  }
}
