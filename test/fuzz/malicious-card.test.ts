import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { MadeCard } from '../../drivers/virtual/card-maker.ts';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import { pinDigits, readTestCard, testCard } from '../../scripts/beds/test-cards.ts';
import { ok } from '../../src/core/result.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import { concatBytes } from '../../src/protocol/bytes.ts';
import { provePresence, signWithAuthKey, verifyPin } from '../../src/terminal/card/use-card-keys.ts';

/** More APDUs than this for one visit are a card that keeps us busy: the longest file in crumbs, and all the rest. */
const apduLimit = 900;

let made: MadeCard;
beforeAll(async () => {
  made = await testCard('hanako');
});

const sessionOf = (transmit: (command: Uint8Array) => Uint8Array) => {
  const counted = { apdus: 0 };
  const session: CardSession = {
    id: 'malicious',
    atr: new Uint8Array(),
    transmit: async (command) => {
      counted.apdus++;
      return ok(transmit(command));
    },
    end: async () => undefined,
  };
  return { session, counted };
};

/** Everything our code does with a card; only its ending, in bounded work, matters here. */
const visit = async (transmit: (command: Uint8Array) => Uint8Array) => {
  const { session, counted } = sessionOf(transmit);
  const reading = await readTestCard(session, made);
  await provePresence(session, new Uint8Array(32));
  await verifyPin(session, pinDigits('1234'));
  await signWithAuthKey(session, new Uint8Array(32));
  expect(counted.apdus).toBeLessThan(apduLimit);
  return reading;
};

const answers = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 256 }).map((body) => concatBytes(body, Uint8Array.of(0x90, 0x00))),
  fc.integer({ min: 0, max: 255 }).map((low) => Uint8Array.of(0x61, low)),
  fc.integer({ min: 0, max: 255 }).map((low) => Uint8Array.of(0x6c, low)),
  fc
    .constantFrom([0x90, 0], [0x63, 0xc0], [0x63, 0xc3], [0x69, 0x82], [0x69, 0x84], [0x6a, 0x82], [0x6b, 0], [])
    .map((bytes) => Uint8Array.from(bytes)),
);

test('a card that answers anything: an ending, in bounded work', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(answers, { minLength: 1, maxLength: 60 }), async (script) => {
      let at = 0;
      await visit(() => script[at++ % script.length] ?? new Uint8Array());
    }),
    { numRuns: 1500 },
  );
});

test('a genuine card with one answer exchanged, cut or lengthened', async () => {
  const change = fc.record({
    at: fc.nat(90),
    how: fc.constantFrom('answer', 'cut', 'add', 'flip'),
    answer: answers,
    position: fc.nat(300),
  });
  const { card } = made;
  await fc.assert(
    fc.asyncProperty(change, async ({ at, how, answer, position }) => {
      let index = 0;
      card.reset();
      await visit((command) => {
        const genuine = card.transmit(command);
        if (index++ !== at) return genuine;
        const where = position % genuine.length;
        if (how === 'answer') return answer;
        if (how === 'cut') return genuine.slice(0, where);
        if (how === 'add') return concatBytes(genuine, answer);
        return genuine.map((byte, here) => (here === where ? byte ^ 0x55 : byte));
      });
    }),
    { numRuns: 600 },
  );
});

/** A card behind a T=0 reader: long answers come by GET RESPONSE, a wrong Le is told. */
const asT0 = (card: VirtualCard): ((command: Uint8Array) => Uint8Array) => {
  let kept: Uint8Array = new Uint8Array();
  const success = Uint8Array.of(0x90, 0x00);
  const give = (wanted: number): Uint8Array => {
    const part = kept.slice(0, wanted);
    kept = kept.slice(part.length);
    return concatBytes(part, kept.length === 0 ? success : Uint8Array.of(0x61, Math.min(255, kept.length)));
  };
  return (command) => {
    if (command[1] === 0xc0) return give(command[4] === 0 ? 256 : (command[4] ?? 0));
    const answer = card.transmit(command);
    const body = answer.slice(0, -2);
    if (body.length === 0 || answer.at(-2) !== 0x90) return answer;
    if (command[1] === 0xb0) {
      const wanted = command[4] === 0 ? 256 : (command[4] ?? 0);
      return body.length < wanted ? Uint8Array.of(0x6c, body.length & 0xff) : answer;
    }
    kept = body;
    return Uint8Array.of(0x61, Math.min(255, body.length) & 0xff);
  };
};

test('61xx and 6Cxx: the same card behind a T=0 reader is read all the same', async () => {
  made.card.reset();
  expect(await visit(asT0(made.card))).toMatchObject({ ok: true, value: { identity: { visual: { state: 'read' } } } });
});

test.each([64, 100, 255])(
  'a card that answers READ BINARY with at most %i bytes is read all the same',
  async (most) => {
    made.card.reset();
    const reading = await visit((command) => {
      const answer = made.card.transmit(command);
      return command[1] === 0xb0 && answer.length > most + 2
        ? concatBytes(answer.slice(0, most), Uint8Array.of(0x90, 0))
        : answer;
    });
    expect(reading).toMatchObject({ ok: true, value: { identity: { visual: { state: 'read' } } } });
  },
);

test('a card that answers one byte at a time after the head of a file is given up', async () => {
  made.card.reset();
  let reads = 0;
  const reading = await visit((command) => {
    const answer = made.card.transmit(command);
    const isHead = command[1] === 0xb0 && command[2] === 0 && command[3] === 0;
    if (command[1] !== 0xb0 || isHead || answer.length <= 3) return answer;
    reads += 1;
    return concatBytes(answer.slice(0, 1), Uint8Array.of(0x90, 0));
  });
  expect(reading).toMatchObject({ ok: false, failure: { code: 'card.unreadable', detail: 'file answered in crumbs' } });
  expect(reads).toBeLessThan(200);
});
