import { type Failure, failure } from '../../../src/core/failure.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import type { SessionEvent } from '../../../src/core/visit/session.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import type { FaceVerifier } from '../../../src/ports/face-verifier.ts';
import type { MessageBus } from '../../../src/ports/message-bus.ts';
import type { Screen } from '../../../src/ports/screen.ts';
import type { Speaker } from '../../../src/ports/speaker.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { PinDigits } from '../../../src/protocol/card/pin-digits.ts';
import type { SqlValue } from '../../../src/storage/sql-engine.ts';
import { seal } from '../../../src/trust/seal.ts';
import { prometheusText } from '../../../src/wire/prometheus-text.ts';

/*
 * Never run: where digits of a PIN must not go, one a line, each with the word that the compiler refuses it. A line that it
 * lets pass is an error of `scripts/check`, by number; `pin-taint.test.ts` shows that it would be one.
 */

type Places = {
  readonly digits: PinDigits;
  readonly log: EventLog;
  readonly bus: MessageBus;
  readonly store: Store;
  readonly screen: Screen;
  readonly speaker: Speaker;
  readonly face: FaceVerifier;
  readonly key: Parameters<typeof seal>[2];
};

export const forbidden = ({ digits, log, bus, store, screen, speaker, face, key }: Places): readonly unknown[] => [
  // @ts-expect-error a line of the log
  log.event('pin.refused', { triesLeft: digits }),
  // @ts-expect-error a detail of a failure, which is logged, shown and sent
  failure('card.pin-wrong', digits),
  // @ts-expect-error a failure's own words
  { code: 'card.pin-wrong', detail: digits } satisfies Partial<Failure>,
  // @ts-expect-error what the session knows, which is recorded
  { entered: digits } satisfies Partial<Extract<SessionEvent, { type: 'PinDigitsChanged' }>>,
  // @ts-expect-error a picture of the screen
  { kind: 'pin', entered: digits, checking: false } satisfies Partial<ScreenModel['body']>,
  // @ts-expect-error the screen's preview
  screen.preview(digits),
  // @ts-expect-error a message
  bus.publish('topic', digits),
  // @ts-expect-error a topic
  bus.publish(digits, new Uint8Array()),
  // @ts-expect-error what is sealed
  seal('request', digits, key),
  // @ts-expect-error the outbox
  store.raiseSettings(1, digits, 0),
  // @ts-expect-error what a store remembers
  store.rememberNonce(digits, 0, 0),
  // @ts-expect-error a cell of any table
  digits satisfies SqlValue,
  // @ts-expect-error a metric
  prometheusText([{ name: 'a', help: 'b', type: 'gauge', samples: [{ value: digits }] }]),
  // @ts-expect-error a label of a metric
  prometheusText([{ name: 'a', help: 'b', type: 'gauge', samples: [{ labels: { pin: digits }, value: 1 }] }]),
  // @ts-expect-error what is said
  speaker.say([{ language: 'ja', text: digits }]),
  // @ts-expect-error the face process
  face.start({ referenceJp2: digits, padStrength: 'off' }, () => {}),
  // @ts-expect-error bytes, from which anything could be made
  Buffer.from(digits),
  // @ts-expect-error bytes, by another door
  Uint8Array.from(digits),
  // @ts-expect-error a text
  new TextDecoder().decode(digits),
  // @ts-expect-error one digit after the other
  [...digits],
  // @ts-expect-error a digit by its place
  digits[0],
];
