import { type ChildProcess, fork } from 'node:child_process';
import { endChild } from '../../beds/end-child.ts';
import type { Order, PlayedVisit, TerminalsStart, Told } from './fleet-messages.ts';

/** Processes that play terminals. */
export class Terminals {
  readonly #children: readonly ChildProcess[];
  visits: readonly PlayedVisit[] = [];
  /** Of the last order, ms */
  cpuMs = 0;

  constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(each: readonly TerminalsStart[]): Promise<Terminals> {
    const children = each.map(() =>
      fork(new URL('./terminals.ts', import.meta.url).pathname, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    );
    await Promise.all(children.map((child, index) => answer(child, each[index] as TerminalsStart)));
    return new Terminals(children);
  }

  /** Resolves once all have done it. `terminals`: of all processes together */
  async do(order: Order): Promise<void> {
    const most = order.order === 'visits' ? order.terminals : undefined;
    const share = (index: number) =>
      most === undefined ? {} : { terminals: Math.ceil((most - index) / this.#children.length) };
    const told = await Promise.all(
      this.#children.map((child, index) => answer(child, { ...order, ...share(index) } as Order)),
    );
    const done = told.filter((one) => one.told === 'done');
    this.visits = done.flatMap(({ visits }) => visits);
    this.cpuMs = done.reduce((sum, one) => sum + one.cpuMs, 0);
  }

  async end(): Promise<void> {
    for (const child of this.#children) await endChild(child, 'SIGKILL');
  }
}

const answer = (child: ChildProcess, order: Order | TerminalsStart): Promise<Told> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process of terminals ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (told: Told) => {
      child.off('exit', ended);
      resolve(told);
    });
    child.send(order);
  });
