import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { endOfJapanDay, formatJapanDate, japanDate } from '../../core/japan-time.ts';
import { type TodayNote, todayNoteOf } from './journal-schema.ts';
import type { LastingRows } from './lasting-rows.ts';

export const monthOf = (wallMs: number): string => formatJapanDate(japanDate(wallMs)).slice(0, 6);

/** A key is bytes; cells are text, which holds each byte as a letter of its own. */
const keyPlace = (month: string): string => `month_key.key ${month}`;

const noted = ['reference_number', 'notices', 'open_names'] as const;

/** What staff need of a visit on its day, and whose card was seen in a month. */
export class TodayNotes {
  readonly #rows: LastingRows;

  constructor(rows: LastingRows) {
    this.#rows = rows;
  }

  /** 照会番号, notices, names with ●; and that this chart's card was seen this month. Within a transaction */
  remember(requestId: string, { referenceNumber, notices, openNames = [] }: TodayNote, at: number): void {
    const { cells, write, livedMs } = this.#rows;
    const texts = [referenceNumber, JSON.stringify(notices), JSON.stringify(openNames)];
    write(
      'INSERT OR REPLACE INTO today (request_id, reference_number, notices, open_names, delete_at) VALUES (?, ?, ?, ?, ?)',
      requestId,
      ...texts.map((text, index) => cells.seal(`today.${noted[index]} ${requestId}`, text)),
      livedMs() + endOfJapanDay(japanDate(at)) - at,
    );
    if (referenceNumber === '') return;
    const month = monthOf(at);
    write('INSERT OR IGNORE INTO card_seen (month, who) VALUES (?, ?)', month, this.#who(month, referenceNumber));
  }

  /** By request; of these requests alone, or all of today */
  of(requestIds?: readonly string[]): Map<string, TodayNote> {
    const { cells, all } = this.#rows;
    const rows =
      requestIds === undefined
        ? all('SELECT * FROM today')
        : all('SELECT * FROM today WHERE request_id IN (SELECT value FROM json_each(?))', JSON.stringify(requestIds));
    return new Map(
      rows.flatMap((row) => {
        const key = String(row.request_id);
        const opened = noted.map((column) => {
          const cell = row[column];
          return typeof cell === 'string' ? cells.open(`today.${column} ${key}`, cell) : undefined;
        });
        // Nobody can read it any more: it is as if it had gone.
        if (opened.includes(null)) return [];
        return [[key, todayNoteOf(Object.fromEntries(noted.map((column, index) => [column, opened[index]])))]];
      }),
    );
  }

  /** 月1回: whether the card of this 照会番号 was seen in the month of `at`. */
  cardSeen(referenceNumber: string, at: number): boolean {
    const month = monthOf(at);
    const who = this.#who(month, referenceNumber);
    return this.#rows.get('SELECT 1 FROM card_seen WHERE month = ? AND who = ?', month, who) !== undefined;
  }

  /** Keyed by a random key of that month, which dies with it: no list of patients grows. */
  #who(month: string, referenceNumber: string): string {
    const key = this.#keyOf(month) ?? this.#rows.atOnce(() => this.#keyOf(month) ?? this.#newKeyOf(month));
    // Given as bytes, Node first finds out by an exception that they are no key of its own: three times the whole work.
    return createHmac('sha256', createSecretKey(key)).update(referenceNumber).digest('base64url');
  }

  #keyOf(month: string): Buffer | null {
    const cell = this.#rows.get('SELECT key FROM month_key WHERE month = ?', month)?.key;
    if (!(cell instanceof Uint8Array)) return null;
    const opened = this.#rows.cells.open(keyPlace(month), Buffer.from(cell).toString('latin1'));
    return opened === null ? null : Buffer.from(opened, 'latin1');
  }

  #newKeyOf(month: string): Buffer {
    const key = randomBytes(32);
    this.#rows.run(
      'INSERT OR REPLACE INTO month_key (month, key, lived_at) VALUES (?, ?, ?)',
      ...[month, Buffer.from(this.#rows.cells.seal(keyPlace(month), key.toString('latin1')), 'latin1')],
      this.#rows.livedMs(),
    );
    return key;
  }
}
