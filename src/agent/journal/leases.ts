import type { SqlEngine } from '../../storage/sql-engine.ts';

/** An agent that has not said for so long that it is there is taken for dead, by the database's clock. ms */
const silentMs = 2_500;

/** That this agent alone works on what follows a receipt. Whoever takes it after us has a higher `fence`. */
export type Lease = {
  readonly requestId: string;
  readonly agent: string;
  readonly fence: number;
  /** The fence under which a file was about to take its name, and that name; null: none was yet */
  readonly marked: number | null;
  readonly file: string | null;
};

/**
 * Which of several agents finishes what. An agent that stood still, and comes back after another has taken its work, finds out
 * by `holds` and `mark`, which ask in the same transaction in which they write. Where one agent alone has the journal nothing
 * is asked and nothing written.
 */
export class Leases {
  readonly #engine: SqlEngine;
  readonly #atOnce: <T>(work: () => T) => T;

  constructor(engine: SqlEngine, atOnce: <T>(work: () => T) => T) {
    this.#engine = engine;
    this.#atOnce = atOnce;
  }

  get isShared(): boolean {
    return this.#engine.isShared;
  }

  /** This agent is there: to be called several times within `silentMs`. Answers all that are, by name. */
  beat(agent: string): readonly string[] {
    const nowMs = this.#engine.nowMs();
    this.#engine.run('INSERT OR REPLACE INTO agent_seen (agent, until) VALUES (?, ?)', agent, nowMs + silentMs);
    const seen = this.#engine.all('SELECT agent FROM agent_seen WHERE until >= ? ORDER BY agent', nowMs);
    return seen.map((row) => String(row.agent));
  }

  isAlive(agent: string): boolean {
    // Of one that was never there it is no number.
    const until = Number(this.#engine.get('SELECT until FROM agent_seen WHERE agent = ?', agent)?.until);
    return until >= this.#engine.nowMs();
  }

  /** One of those that are there, the same one for all: for what one of them does and nobody fences. */
  isFirst(agent: string): boolean {
    if (!this.isShared) return true;
    const { get, nowMs } = this.#engine;
    return get('SELECT min(agent) AS first FROM agent_seen WHERE until >= ?', nowMs())?.first === agent;
  }

  /** Within the transaction that writes the request down: of a new one nobody has a lease. */
  give(requestId: string, agent: string): Lease {
    const lease = { requestId, agent, fence: this.isShared ? 1 : 0, marked: null, file: null };
    if (this.isShared) this.#write(lease);
    return lease;
  }

  /** null: an agent that is there works on it, or there is nothing left to do. */
  take(requestId: string, agent: string): Lease | null {
    if (!this.isShared) return { requestId, agent, fence: 0, marked: null, file: null };
    return this.#atOnce(() => {
      const { get } = this.#engine;
      const isOpen = 'SELECT 1 FROM request WHERE request_id = ? AND handed_over_at IS NULL AND given_up_at IS NULL';
      if (get(isOpen, requestId) === undefined) return null;
      const before = get('SELECT agent, fence, marked, file FROM lease WHERE request_id = ?', requestId);
      if (before !== undefined && before.agent !== agent && this.isAlive(String(before.agent))) return null;
      const fence = Number(before?.fence ?? 0) + 1;
      const marked = before?.marked == null ? null : Number(before.marked);
      const file = marked === null ? null : String(before?.file);
      const lease = { requestId, agent, fence, marked, file };
      this.#write(lease);
      return lease;
    });
  }

  #write({ requestId, agent, fence, marked, file }: Lease): void {
    this.#engine.write(
      'INSERT OR REPLACE INTO lease (request_id, agent, fence, marked, file) VALUES (?, ?, ?, ?, ?)',
      ...[requestId, agent, fence, marked, file],
    );
  }

  /** Within the transaction that depends on it. */
  holds({ requestId, agent, fence }: Lease): boolean {
    if (!this.isShared) return true;
    const is = 'SELECT 1 FROM lease WHERE request_id = ? AND agent = ? AND fence = ?';
    return this.#engine.get(is, requestId, agent, fence) !== undefined;
  }

  /** Durable before a file takes its name: whoever comes after us knows that it may have. false: somebody has come. */
  mark(lease: Lease, file: string): boolean {
    return this.#atOnce(() => {
      const { requestId, agent, fence } = lease;
      const set = 'UPDATE lease SET marked = ?, file = ? WHERE request_id = ? AND agent = ? AND fence = ?';
      return this.#engine.run(set, fence, file, requestId, agent, fence) > 0;
    });
  }

  /** Within the transaction that ends the request */
  release(requestId: string): void {
    if (this.isShared) this.#engine.write('DELETE FROM lease WHERE request_id = ?', requestId);
  }

  /** Requests that nobody who is there works on. */
  orphans(): readonly string[] {
    return this.#engine
      .all(
        `SELECT personal.request_id FROM personal LEFT JOIN lease ON lease.request_id = personal.request_id
          LEFT JOIN agent_seen ON agent_seen.agent = lease.agent WHERE agent_seen.until IS NULL OR agent_seen.until < ?`,
        this.#engine.nowMs(),
      )
      .map((row) => String(row.request_id));
  }
}
