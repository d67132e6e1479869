import type { StateMessage } from '../../wire/messages.ts';
import { isCarriedOut, type ShownOrder } from '../desk/carried-out.ts';
import type { TestVisitReport } from '../desk/order-test-visit.ts';

/** An order that staff gave to a lane, until its effect was seen. `returned`: in what the terminal says of itself. */
export type Order = {
  readonly what: ShownOrder['name'] | 'approve' | 'cancel' | 'test-visit';
  /** What must show afterwards, and what the terminal said before */
  readonly awaited?: { readonly order: ShownOrder; readonly before: StateMessage | null };
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

/** The last order of each lane. What shows afterwards counts as done only when it does. */
export class PendingOrders {
  readonly #orders = new Map<string, Order>();

  start(
    device: string,
    what: Order['what'],
    nowMs: number,
    about: Pick<Order, 'awaited'> & { readonly session?: string | undefined } = {},
  ): void {
    const { session, awaited } = about;
    this.#orders.set(device, {
      ...{ what, sentAt: nowMs, state: 'sent' },
      ...(session !== undefined && { session }),
      ...(awaited !== undefined && { awaited }),
    });
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
    const { awaited } = order;
    if (awaited === undefined || order.state === 'refused' || order.state === 'returned') return order;
    if (state === null || receivedAt === null || receivedAt < order.sentAt) return order;
    // Without a word about orders only a later state says anything.
    if (state.about === undefined && receivedAt === order.sentAt) return order;
    if (!isCarriedOut(awaited.order, awaited.before, state)) return order;
    const returned: Order = { ...order, state: 'returned', returnedAt: receivedAt };
    this.#orders.set(device, returned);
    return returned;
  }
}
