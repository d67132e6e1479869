import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ApduMoment } from '../../drivers/virtual/virtual-card-reader.ts';
import type { CardReaderBench } from '../../scripts/beds/card-reader-benches.ts';
import { pinDigits, readTestCard, testCard } from '../../scripts/beds/test-cards.ts';
import type { CardReader, CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';
import { fromHex } from '../../src/protocol/bytes.ts';
import { signWithAuthKey, verifyPin } from '../../src/terminal/card/use-card-keys.ts';

/** Time for one event of a real pcscd, which polls its reader every 0.4 s, on a busy machine. */
const eventDeadlineMs = 15_000;

/** Every event of a reader in order; `next` waits for one that has not been asked for yet. */
class EventLog {
  readonly #arrived = new EventEmitter();
  readonly #events: CardReaderEvent[] = [];
  constructor(reader: CardReader) {
    reader.subscribe((event) => {
      this.#events.push(event);
      this.#arrived.emit('event');
    });
  }

  async next<T extends CardReaderEvent['type']>(type: T): Promise<Extract<CardReaderEvent, { type: T }>> {
    const signal = AbortSignal.timeout(eventDeadlineMs);
    for (;;) {
      const index = this.#events.findIndex((event) => event.type === type);
      if (index >= 0) return this.#events.splice(0, index + 1).at(-1) as Extract<CardReaderEvent, { type: T }>;
      await once(this.#arrived, 'event', { signal });
    }
  }
}

const selectJpki = fromHex('00A4040C0AD392F000260100000001');

/** What every card-reader driver must do, whatever is behind it. */
export const describeCardReader = (
  name: string,
  open: () => Promise<CardReaderBench>,
  skipReason: string | null,
): void => {
  if (skipReason !== null) console.warn(`skipped: card reader contract on ${name}: ${skipReason}`);
  describe.skipIf(skipReason !== null)(`card reader: ${name}`, () => {
    let bench: CardReaderBench;
    let events: EventLog;
    beforeAll(async () => {
      bench = await open();
    });
    afterAll(() => bench?.close());
    beforeEach(async () => {
      events = new EventLog(bench.reader);
      await events.next('reader-found');
    });
    afterEach(() => bench.pull());

    // A real pcscd tells a removal up to 0.4 s later: the last test's card may still be the current situation.
    const seen = new Set<string>();
    const nextSession = async (): Promise<CardSession> => {
      for (;;) {
        const { session } = await events.next('card-inserted');
        if (seen.has(session.id)) continue;
        seen.add(session.id);
        return session;
      }
    };
    const lay = async (id: string, onApdu?: (moment: ApduMoment) => void) => {
      const made = await testCard(id);
      await bench.insert(made.card, onApdu);
      return { made, session: await nextSession() };
    };
    const expectDead = async (session: CardSession) => {
      const answer = await session.transmit(selectJpki);
      expect(answer).toMatchObject({ ok: false, failure: { code: 'card.removed' } });
    };

    test('an inserted card answers and is told with its ATR', async () => {
      const { session, made } = await lay('hanako');
      expect(session.atr).toEqual(made.card.atr);
      expect(await session.transmit(selectJpki)).toEqual({ ok: true, value: fromHex('9000') });
    });

    test('a whole card is read, its PIN verified, a signature made', async () => {
      const { session, made } = await lay('hanako');
      const reading = await readTestCard(session, made);
      expect(reading).toMatchObject({ ok: true, value: { identity: { visual: { state: 'read' } } } });
      expect(await verifyPin(session, pinDigits('1234'))).toEqual({ ok: true, value: { type: 'verified' } });
      expect(await signWithAuthKey(session, new Uint8Array(32))).toMatchObject({ ok: true });
    });

    test('APDUs sent at once are answered one after the other, in order', async () => {
      const { session } = await lay('hanako');
      const answers = await Promise.all([
        session.transmit(selectJpki),
        session.transmit(fromHex('00A4020C020018')),
        session.transmit(fromHex('00200080')),
      ]);
      expect(answers.map((answer) => answer.ok && answer.value)).toEqual([
        fromHex('9000'),
        fromHex('9000'),
        fromHex('63C3'),
      ]);
    });

    test('a removed card is told, and its session answers card.removed from then on', async () => {
      const { session } = await lay('hanako');
      await bench.pull();
      await events.next('card-removed');
      await expectDead(session);
    });

    test('a card pulled while it answers: the call fails, the session is dead, the next insertion is another session', async () => {
      let isArmed = false;
      const { session } = await lay('hanako', ({ phase }) => {
        if (isArmed && phase === 'after') void bench.pull();
      });
      isArmed = true;
      expect((await session.transmit(selectJpki)).ok).toBe(false);
      await events.next('card-removed');
      await expectDead(session);
      const { session: next } = await lay('hanako');
      expect(next.id).not.toBe(session.id);
      expect((await next.transmit(selectJpki)).ok).toBe(true);
      await expectDead(session);
    });

    test('a session that was ended is dead, and the card forgot its PIN', async () => {
      const { session, made } = await lay('hanako');
      await verifyPin(session, pinDigits('1234'));
      await session.end();
      await expectDead(session);
      await bench.pull();
      await events.next('card-removed');
      await bench.insert(made.card);
      const next = await nextSession();
      await next.transmit(selectJpki);
      expect(await signWithAuthKey(next, new Uint8Array(32))).toMatchObject({
        ok: false,
        failure: { code: 'card.security-status-lost' },
      });
    });

    test('one card swapped for another: the old session never reaches the new card', async () => {
      const { session } = await lay('hanako');
      await bench.pull();
      const other = await testCard('taro');
      await bench.insert(other.card);
      const next = await nextSession();
      await expectDead(session);
      expect(await readTestCard(next, other)).toMatchObject({
        ok: true,
        value: { identity: { certificateSerial: other.persona.serial } },
      });
    });

    test('a late listener is told the reader and the card first', async () => {
      const { session } = await lay('hanako');
      const late = new EventLog(bench.reader);
      await late.next('reader-found');
      expect((await late.next('card-inserted')).session.id).toBe(session.id);
    });

    test('a lost reader is told, kills the session, and works again when it is back', async () => {
      const { session } = await lay('hanako');
      await bench.lose();
      expect((await events.next('reader-lost')).failure.code).toMatch(/^reader\./);
      await expectDead(session);
      await bench.pull();
      await bench.recover();
      await events.next('reader-found');
      const { session: next } = await lay('hanako');
      expect((await next.transmit(selectJpki)).ok).toBe(true);
    });
  });
};
