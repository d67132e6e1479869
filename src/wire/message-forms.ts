import { z } from 'zod';
import {
  challengeRequestSchema,
  challengesSchema,
  commandResultSchema,
  commandSchema,
  lookupResultSchema,
  lookupSchema,
  receiptSchema,
  requestSchema,
  resultSchema,
  settingsMessageSchema,
  stateSchema,
} from './messages.ts';
import type { TopicLeaf } from './topics.ts';
import { v1Schemas } from './v1-messages.ts';

/**
 * How a message travels. `plain`: JSON. `signed`: compact JWS by its publisher. `sealed`: compact JWE to the other side
 * of such a JWS. `sealed-document`: compact JWE to the facility of a general JWS by card and device.
 */
type Envelope = 'plain' | 'signed' | 'sealed' | 'sealed-document';

/** MQTT's quality of service of every message: 1, at least once; receivers know copies by their ids. */
export const busQos = 1;

type MessageForm = {
  readonly schema: z.ZodType;
  readonly envelope: Envelope;
  readonly retained: boolean;
  /** The leaf on which the answer comes (MQTT 5 Response Topic) */
  readonly answeredOn?: TopicLeaf;
  readonly summary: string;
};

/**
 * One source for the AsyncAPI document and for the check of every message in the tests. Where both are named, version 1
 * is said to an end that has not said that it speaks more.
 */
export const messageForms: Record<TopicLeaf, MessageForm> = {
  state: {
    schema: z.union([v1Schemas.state, stateSchema]),
    envelope: 'plain',
    retained: true,
    summary: 'What the terminal says of itself; also its last will. A hint for staff, never trusted.',
  },
  'challenge-request': {
    schema: challengeRequestSchema,
    envelope: 'signed',
    retained: false,
    answeredOn: 'challenge',
    summary: 'The terminal wants challenges ahead of its next visits.',
  },
  challenge: {
    schema: challengesSchema,
    envelope: 'signed',
    retained: false,
    summary: 'Challenges, each good for one request to the agent that made it, until it expires.',
  },
  lookup: {
    schema: lookupSchema,
    envelope: 'sealed',
    retained: false,
    answeredOn: 'lookup-result',
    summary: 'A card was read: is it registered, is its certificate good?',
  },
  'lookup-result': {
    schema: lookupResultSchema,
    envelope: 'sealed',
    retained: false,
    summary: 'What the terminal must know before it asks for consents.',
  },
  request: {
    schema: requestSchema,
    envelope: 'sealed-document',
    retained: false,
    answeredOn: 'receipt',
    summary: 'A visit: verification, consents, choices, signed by card and device. Sent until the receipt is in.',
  },
  receipt: {
    schema: receiptSchema,
    envelope: 'signed',
    retained: false,
    summary: 'The agent has the request in its journal, or refuses it. The same request gets the same receipt.',
  },
  result: {
    schema: z.union([v1Schemas.result, resultSchema]),
    envelope: 'sealed',
    retained: false,
    summary: 'What the national service answered; no name, no number.',
  },
  command: {
    schema: commandSchema,
    envelope: 'signed',
    retained: false,
    answeredOn: 'command-result',
    summary: 'Staff ask for something: once, until it expires.',
  },
  'command-result': {
    schema: commandResultSchema,
    envelope: 'signed',
    retained: false,
    summary: 'Whether the terminal did it.',
  },
  settings: {
    schema: z.union([v1Schemas.settings, settingsMessageSchema]),
    envelope: 'signed',
    retained: true,
    summary: "The facility's settings and keys. Versions only rise.",
  },
};
