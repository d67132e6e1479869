import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import { createVirtualCardReader } from '../../drivers/virtual/virtual-card-reader.ts';
import { createVirtualSmartphoneReader } from '../../drivers/virtual/virtual-smartphone-reader.ts';
import { SimulatedClock } from '../../scripts/beds/simulated-clock.ts';
import { testCard, trustedCvIssuers } from '../../scripts/beds/test-cards.ts';
import { testSettings } from '../../scripts/beds/test-facility.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { failure } from '../../src/core/failure.ts';
import { err } from '../../src/core/result.ts';
import type { ControlId } from '../../src/core/visit/control-ids.ts';
import { notMeantForMs } from '../../src/core/visit/session-buttons.ts';
import { visitOf } from '../../src/core/visit/session-steps.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import type { ScreenEvent } from '../../src/ports/screen.ts';
import { fromHex } from '../../src/protocol/bytes.ts';
import type { ClinicEvent, ClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import type { SessionParts } from '../../src/terminal/visit/session-parts.ts';
import { SessionRunner } from '../../src/terminal/visit/session-runner.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';

/**
 * The PIN guard as a model: the real session runner, machine and card code, a real virtual card, and a patient who does
 * anything in any order. A wrong step here locks a citizen's card until a visit to the town hall.
 */

/** A clinic that is connected and never answers: nothing of it matters for the PIN. */
const silentClinic = (): ClinicLink => ({
  connected: true,
  waiting: 0,
  agentWire: () => 2,
  takeChallenge: () => null,
  agentNowMs: () => null,
  release: () => {},
  cancel: () => {},
  tellLate: () => {},
  challengesReady: () => true,
  askAgent: () => {},
  lookup: async () => err(failure('eligibility.unavailable')),
  sign: async () => err(failure('delivery.no-challenge')),
  submit: async () => err(failure('delivery.offline')),
  publishState: () => undefined,
  answerCommand: () => undefined,
  tellAbout: () => undefined,
  tellFigures: () => undefined,
  tellUpdate: () => undefined,
  subscribe: (listener) => {
    const settings = { facilitySettings: { ...testSettings, smartphone: true } } as Extract<
      ClinicEvent,
      { type: 'settings' }
    >['message'];
    listener({ type: 'settings', message: settings });
    listener({ type: 'connected' });
    listener({ type: 'challenges-ready', ready: true });
    return () => undefined;
  },
  close: async () => undefined,
});

const enter = 0x0d;
const clear = 0x08;

/** What a patient may not lose by a mistake of ours: a card on the bed, or a phone at its reader. */
class Guarded {
  /** Times enter was pressed for it: no VERIFY without one. */
  submits = 0;
  verifies = 0;
  /** VERIFYs sent with one try left, and whether a yes was given for it since the last of them. */
  lastTriesSpent = 0;
  lastTriesUnconfirmed = 0;
  yes = false;
  #triesLeft: number;

  constructor(triesLeft: number) {
    this.#triesLeft = triesLeft;
  }

  verified(digits: string): void {
    this.verifies++;
    if (this.#triesLeft === 1) {
      this.lastTriesSpent++;
      if (!this.yes) this.lastTriesUnconfirmed++;
      this.yes = false;
    }
    this.#triesLeft = digits === '1234' ? 3 : Math.max(0, this.#triesLeft - 1);
  }
}

class Counter {
  readonly clock = new SimulatedClock();
  readonly #verifyCommands: Uint8Array[] = [];
  readonly card: Guarded;
  readonly phone: Guarded;
  #tellScreen: (event: ScreenEvent) => void = () => undefined;

  readonly #onApdu =
    (guarded: () => Guarded): NonNullable<NonNullable<Parameters<typeof createVirtualCardReader>[0]>['onApdu']> =>
    ({ phase, command }) => {
      if (phase !== 'before' || command[1] !== 0x20 || command.length !== 9) return;
      this.#verifyCommands.push(command);
      guarded().verified(new TextDecoder().decode(command.slice(5)));
    };
  readonly reader = createVirtualCardReader({ onApdu: this.#onApdu(() => this.card) });
  readonly phones = createVirtualSmartphoneReader({ onApdu: this.#onApdu(() => this.phone) });

  readonly runner: SessionRunner;

  constructor(triesLeft = 3) {
    this.card = new Guarded(triesLeft);
    this.phone = new Guarded(triesLeft);
    const parts: SessionParts = {
      terminal: {
        facility: 'test',
        device: 'front-1',
        lane: 1,
        version: '0',
        profile: 'demo',
      } as SessionParts['terminal'],
      clock: this.clock,
      log: createEventLog({ format: 'silent' }),
      cardReader: this.reader,
      cardFrontReader: null,
      faceVerifier: {
        start: () => () => undefined,
        subscribeHealth: () => () => undefined,
        close: async () => undefined,
      },
      screen: {
        show: () => undefined,
        preview: () => undefined,
        subscribe: (listener) => {
          this.#tellScreen = listener;
          return () => undefined;
        },
        close: async () => undefined,
      },
      smartphoneReader: this.phones,
      keypad: null,
      statusLight: null,
      speaker: null,
      clinic: silentClinic(),
      trustedCvIssuers,
      cryptography: cardCryptography,
      catalogueAt,
      newId: () => crypto.randomUUID(),
      restart: {},
    };
    this.runner = new SessionRunner(parts);
  }

  press(key: number): void {
    this.#look();
    if (key === enter) this.#typedFor.submits++;
    this.#tellScreen({ type: 'pin-key', key });
  }

  get #typedFor(): Guarded {
    return this.runner.session.state.name === 'enteringPhonePin' ? this.phone : this.card;
  }

  /** A finger that comes too soon after another question is not taken, and would spend the action. */
  #look(): void {
    this.clock.skip(notMeantForMs(this.runner.session, this.clock.now()));
  }

  touch(control: ControlId): void {
    this.#look();
    const { state } = this.runner.session;
    if (control === 'last-try-yes' && 'lastTry' in state && state.lastTry === 'asking') this.#typedFor.yes = true;
    this.#tellScreen({
      type: 'touched',
      touch: { session: visitOf(this.runner.session.state)?.session ?? null, control, revision: 0 },
    });
  }

  /** Every VERIFY that was sent, after the card answered: nothing of the digits is left in our bytes. */
  get digitsLeftBehind(): number {
    return this.#verifyCommands.filter((command) => command.some((byte) => byte !== 0)).length;
  }
}

/** Lets the chip, promises and the runner go on for a number of turns; few of them leave work half done. */
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};
const settle = (): Promise<void> => turns(600);

type Action =
  | { readonly type: 'insert' | 'pull' | 'unplug' | 'settle' }
  /** Towards a phone's PIN; a phone, or a card, held to the reader for phones; taken away from there */
  | { readonly type: 'choose-phone' | 'hold-phone' | 'hold-card' | 'take-away' }
  | { readonly type: 'digits'; readonly digits: '1234' | '0000' | '12' }
  | { readonly type: 'submit'; readonly digits: '1234' | '0000' }
  | { readonly type: 'key'; readonly key: number }
  | { readonly type: 'touch'; readonly control: ControlId }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'turns'; readonly count: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('0000', '0000', '0000', '1234').map((digits) => ({ type: 'submit', digits }) as Action),
  },
  { weight: 6, arbitrary: fc.constant<Action>({ type: 'settle' }) },
  { weight: 4, arbitrary: fc.constant<Action>({ type: 'touch', control: 'last-try-yes' }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }).map((count) => ({ type: 'turns', count }) as Action) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(enter, enter, clear, 0x31, 0xff).map((key) => ({ type: 'key', key }) as Action),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1234', '0000', '12').map((digits) => ({ type: 'digits', digits }) as Action),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Action>({ type: 'insert' }, { type: 'insert' }, { type: 'pull' }, { type: 'unplug' }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<ControlId>('use-pin', 'back', 'last-try-no', 'call-staff', 'call-help')
      .map((control) => ({ type: 'touch', control }) as Action),
  },
  { weight: 1, arbitrary: fc.constantFrom(500, 6_000, 60_000).map((ms) => ({ type: 'wait', ms }) as Action) },
);

const phoneAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: action },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Action>(
      ...([{ type: 'choose-phone' }, { type: 'hold-phone' }, { type: 'hold-phone' }] as const),
      ...([{ type: 'hold-card' }, { type: 'take-away' }] as const),
    ),
  },
);

type Things = { readonly card: VirtualCard; readonly phone: VirtualCard; readonly stray: VirtualCard };

const perform = async (counter: Counter, { card, phone, stray }: Things, next: Action): Promise<void> => {
  switch (next.type) {
    case 'insert':
      counter.reader.plug();
      counter.reader.insert(card);
      return settle();
    case 'pull':
      return counter.reader.pull();
    case 'unplug':
      return counter.reader.unplug();
    case 'settle':
      return settle();
    case 'choose-phone':
      counter.touch('use-smartphone');
      counter.touch('android');
      return settle();
    case 'hold-phone':
      return counter.phones.hold(phone);
    case 'hold-card':
      return counter.phones.hold(stray);
    case 'take-away':
      return counter.phones.takeAway();
    case 'digits':
      for (const digit of next.digits) counter.press(digit.charCodeAt(0));
      return;
    case 'submit':
      for (const digit of next.digits) counter.press(digit.charCodeAt(0));
      return counter.press(enter);
    case 'key':
      return counter.press(next.key);
    case 'touch':
      return counter.touch(next.control);
    case 'wait':
      return counter.clock.advance(next.ms, () => turns(30));
    case 'turns':
      return turns(next.count);
  }
};

/** Some of the tries were spent before, elsewhere. */
const spent = async (persona: string, left: number): Promise<VirtualCard> => {
  const { card } = await testCard(persona);
  for (const apdu of [
    '00A4040C0AD392F000260100000001',
    '00A4020C020018',
    ...Array(3 - left).fill('002000800439393939'),
  ])
    card.transmit(fromHex(apdu));
  return card;
};

const ofCards = ['verified', 'wrong', 'lastTries', 'blocked', 'verifies'] as const;
type Reached = Record<(typeof ofCards)[number] | 'phoneVerified' | 'phoneVerifies', number>;

/** Whatever a patient does, beginning with `first`: every rule, after each single action. */
const anyOrder = async (first: Action, actions: fc.Arbitrary<Action>, reached: Reached): Promise<void> => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(actions, { minLength: 6, maxLength: 30, size: 'max' }),
      async (tries, then) => {
        const counter = new Counter(tries);
        counter.runner.subscribe((_, event) => {
          if (event.type === 'PinVerified') reached.verified++;
          if (event.type === 'PhoneVerified') reached.phoneVerified++;
          if (event.type === 'PinRefused') reached[event.triesLeft === 0 ? 'blocked' : 'wrong']++;
        });
        const things: Things = {
          card: await spent('hanako', tries),
          phone: await spent('android-phone', tries),
          stray: (await testCard('taro')).card,
        };
        for (const next of [first, ...then]) {
          await perform(counter, things, next);
          for (const guarded of [counter.card, counter.phone]) {
            expect(guarded.verifies).toBeLessThanOrEqual(guarded.submits);
            expect(guarded.lastTriesUnconfirmed).toBe(0);
          }
        }
        await settle();
        expect(counter.digitsLeftBehind).toBe(0);
        expect(things.stray.verifyCount).toBe(0);
        reached.lastTries += counter.card.lastTriesSpent + counter.phone.lastTriesSpent;
        reached.verifies += counter.card.verifies;
        reached.phoneVerifies += counter.phone.verifies;
        await counter.runner.close();
      },
    ),
    { numRuns: 250 },
  );
};

/** The search goes on until it has been where it hurts, each place more than three times; otherwise it proves nothing. */
const searched = async (first: Action, actions: fc.Arbitrary<Action>, wanted: readonly (keyof Reached)[]) => {
  const reached = { verified: 0, wrong: 0, lastTries: 0, blocked: 0, verifies: 0, phoneVerified: 0, phoneVerifies: 0 };
  const rest = (): readonly (keyof Reached)[] => wanted.filter((name) => reached[name] <= 3);
  for (let rounds = 0; rounds < 6 && (rounds === 0 || rest().length > 0); rounds += 1)
    await anyOrder(first, actions, reached);
  expect(rest()).toEqual([]);
};

test('whatever a patient does in whatever order: one VERIFY a submit at most, the last try only with its own yes, no digit kept', async () => {
  await searched({ type: 'insert' }, action, ofCards);
});

test('and with a phone, whose PIN is typed before it is there: the same, and no card is ever sent its digits', async () => {
  await searched({ type: 'choose-phone' }, phoneAction, [...ofCards, 'phoneVerified', 'phoneVerifies']);
});

test('enter pressed four times while the card answers: one VERIFY', async () => {
  const counter = new Counter();
  const { card } = await testCard('hanako');
  counter.reader.insert(card);
  await settle();
  for (const digit of '0000') counter.press(digit.charCodeAt(0));
  for (let times = 0; times < 4; times++) counter.press(enter);
  await settle();
  expect(counter.card.verifies).toBe(1);
  await counter.runner.close();
});

test('a card pulled while it checks the PIN and put back: the digits are gone, no second VERIFY', async () => {
  const counter = new Counter();
  const { card } = await testCard('hanako');
  counter.reader.insert(card);
  await settle();
  for (const digit of '0000') counter.press(digit.charCodeAt(0));
  counter.press(enter);
  await turns(12);
  counter.reader.pull();
  counter.reader.insert(card);
  await settle();
  counter.press(enter);
  await settle();
  expect(counter.card.verifies).toBeLessThanOrEqual(1);
  expect(counter.digitsLeftBehind).toBe(0);
  await counter.runner.close();
});
