/** What the trial's own process and those that play terminals tell each other. */

export type TerminalsStart = {
  readonly port: number;
  /** Of the broker: the next terminal takes the next */
  readonly hosts: readonly string[];
  /** Directories of `uketsuke provision`, one a terminal */
  readonly devices: readonly string[];
  /** Visits for which certificates are made before anything is timed */
  readonly cards: number;
};

/**
 * `perSecond` null: each terminal begins its next visit when the last one has its receipt. `terminals`: so many of the process take
 * part; default: all
 */
export type Order =
  | {
      readonly order: 'visits';
      readonly seconds: number;
      readonly perSecond: number | null;
      readonly terminals?: number;
    }
  | { readonly order: 'settle' }
  | { readonly order: 'end' };

/** Instants by `performance.timeOrigin + performance.now()`, ms since 1970: two processes of one machine compare them. */
export type PlayedVisit = {
  readonly requestId: string;
  readonly device: string;
  /** Of the card's certificate: whom the service knows by it */
  readonly serial: string;
  readonly begunMs: number;
  readonly submittedMs: number;
  receiptMs?: number;
  verdict?: string;
  code?: string;
  /** Receipts for it that were told, each signed by an agent and for this document */
  receipts: number;
  outcome?: string;
  /** Of the first result */
  resultMs?: number;
  results: number;
};

export type Told =
  | { readonly told: 'ready' }
  | { readonly told: 'done'; readonly visits: readonly PlayedVisit[]; readonly cpuMs: number };
