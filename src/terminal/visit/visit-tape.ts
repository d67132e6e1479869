import { z } from 'zod';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { type Failure, type FailureCode, failure, isFailureCode } from '../../core/failure.ts';
import { drawScreen } from '../../core/screen/draw-screen.ts';
import { dayMs } from '../../core/time-units.ts';
import type { Identity, VisualState } from '../../core/visit/identity.ts';
import type { Session, SessionEvent } from '../../core/visit/session.ts';
import { transition } from '../../core/visit/session-machine.ts';
import { logEvents } from '../../log/log-events.ts';
import { parseJsonLine, rowsOf } from '../../protocol/json-lines.ts';
import { facilitySettingsSchema, firstTimeouts } from '../../wire/facility-settings.ts';
import { takeKnown } from '../../wire/translate.ts';

/**
 * A visit as a story that may be shown to others: JSON Lines, a head and then one event a line with the state and the
 * screen that followed. Nothing of a person is in it: ids, cards, photos and documents are numbers in the order in
 * which they came, a certificate's end is one of four, the day is the day and the hour is noon.
 */
export const tapeVersion = 1;

const code = z.string().refine(isFailureCode, 'no failure code of ours');
const trouble = code.nullable();
const displaySchema = z.strictObject({
  language: z.string().max(12),
  theme: z.enum(['default', 'high-contrast', 'dark']),
  textPercent: z.union([z.literal(100), z.literal(150), z.literal(200)]),
  layout: z.enum(['standard', 'low']).default('standard'),
  /** true, false: tapes of before there were headings alone */
  voice: z.union([z.enum(['off', 'headings', 'all']), z.boolean().transform((on) => (on ? 'all' : 'off'))]),
  loudness: z.number(),
});

const headSchema = z.strictObject({
  visitTape: z.literal(tapeVersion),
  /** ms since 1970 UTC: noon of the day in Japan. The catalogue is the one that held then. */
  dayMs: z.number().int(),
  catalogueVersion: z.string().max(80),
  /** The rest from which the story begins; instants are ms before it */
  rest: z.strictObject({
    outOfService: trouble,
    sinceMs: z.number().nullable(),
    deadlineMs: z.number().nullable(),
    /** Tapes of before have none */
    chosenUntilMs: z.number().nullable().optional(),
    readerLost: trouble,
    faceTrouble: trouble,
    connected: z.boolean(),
    disconnectedSinceMs: z.number().nullable(),
    disconnection: code,
    challengesReady: z.boolean(),
    /** Left out: a reader of their own, or a tape of before there was the one place */
    phonesOnBed: z.literal(true).optional(),
    /** Keys that have gone since are left out; what has come since has its default. */
    settings: z.unknown().transform((given, context) => {
      if (given === null) return null;
      const taken = takeKnown(facilitySettingsSchema, given);
      if (taken === null) context.addIssue({ code: 'custom', message: 'no facility settings' });
      return taken?.value ?? z.NEVER;
    }),
    display: displaySchema,
  }),
});
export type TapeHead = z.infer<typeof headSchema>;

const { cause } = logEvents['session.transition'].fields;
const eventSchema = z.looseObject({ type: z.string().refine((word) => cause.accepts(word), 'no event of a session') });
const lineSchema = z.strictObject({
  /** ms since the story began */
  atMs: z.number(),
  event: eventSchema,
  /** `enteringPin`, `interrupted card.removed`, with the ms until the deadline */
  state: z.string().max(80),
  screen: z.string().max(2_000),
});
export type TapeLine = z.infer<typeof lineSchema>;
export type Tape = { readonly head: TapeHead; readonly lines: readonly TapeLine[] };

export const formatTape = ({ head, lines }: Tape): string =>
  [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');

/** Throws on a file that is no tape, or one of a later version, saying which line. */
export const parseTape = (text: string): Tape => {
  const [head = { row: '', line: 1 }, ...rows] = rowsOf(text);
  return { head: parseJsonLine(head, headSchema), lines: rows.map((row) => parseJsonLine(row, lineSchema)) };
};

/** Which certificate's end stands for a state of it: ms from the day of the tape. */
const endOf = { valid: 900 * dayMs, 'near-expiry': 30 * dayMs, grace: -10 * dayMs, dead: -400 * dayMs } as const;

/** The parts of an identity that a tape keeps, as the machine takes them. `card`, `photo`: numbers. */
export const tapedVisual = (visual: VisualState, photo: (hash: string) => string): object =>
  visual.state === 'read' ? { state: 'read', photo: photo(visual.photoHash) } : visual;

/** A visual record of which nothing is kept, for the machine, which does not look into it. */
export const noEvidence = {
  df22: new Uint8Array(),
  df23: new Uint8Array(),
  df24: new Uint8Array(),
  hash2: new Uint8Array(),
  hash3: new Uint8Array(),
  df28: new Uint8Array(),
  cvCertificate: new Uint8Array(),
};
const visualSchema = z.union([
  z.strictObject({ state: z.literal('reading') }),
  z
    .strictObject({ state: z.literal('read'), photo: z.string() })
    .transform(({ photo }) => ({ state: 'read' as const, evidence: noEvidence, photoHash: photo })),
  z.strictObject({ state: z.literal('unavailable'), code }),
]);
const identitySchema = z
  .strictObject({
    kind: z.enum(['my-number-card', 'android-phone', 'iphone']),
    card: z.string().max(20),
    certificateState: z.enum(['valid', 'near-expiry', 'grace', 'dead']),
    pin: z.union([
      z.strictObject({ state: z.literal('usable'), triesLeft: z.number().int().min(0) }),
      z.strictObject({ state: z.enum(['blocked', 'absent']) }),
    ]),
    visual: visualSchema,
  })
  .transform(({ card, ...rest }) => ({ ...rest, card }));

const identityOf = (taped: unknown, day: number): Identity => {
  const { card, ...rest } = identitySchema.parse(taped);
  return {
    ...rest,
    authCertificate: new TextEncoder().encode(card),
    certificateSerial: card,
    certificateNotAfterMs: day + endOf[rest.certificateState],
  } as Identity;
};

/** The event of a line as the machine takes it. Throws on what no machine would say. */
const eventOf = ({ atMs, event }: TapeLine, head: TapeHead, catalogue: Catalogue): SessionEvent => {
  const at = { monotonicMs: atMs, wallMs: head.dayMs + atMs };
  const failed = (word: unknown): Failure => failure(code.parse(word));
  const told: Record<string, unknown> = { ...event, at };
  if ('failure' in event) told.failure = failed(event.failure);
  if (event.type === 'FaceHealthChanged' || event.type === 'AgentChanged')
    told.trouble = event.trouble === null ? null : failed(event.trouble);
  if ('identity' in event) told.identity = identityOf(event.identity, head.dayMs);
  if ('visual' in event) told.visual = visualSchema.parse(event.visual);
  if (event.type === 'CatalogueChanged') told.catalogue = catalogue.consents;
  return told as SessionEvent;
};

const lost = (word: FailureCode | null) =>
  word === null ? ({ state: 'present' } as const) : ({ state: 'lost', failure: failure(word) } as const);

/** The session at rest from which a tape begins. */
const sessionAtRest = ({ rest }: TapeHead, catalogue: Catalogue): Session => ({
  state:
    rest.outOfService === null
      ? { name: 'idle', deadlineMs: rest.deadlineMs }
      : {
          name: 'outOfService',
          failure: failure(rest.outOfService),
          sinceMs: rest.sinceMs ?? 0,
          deadlineMs: rest.deadlineMs,
        },
  surroundings: {
    reader: lost(rest.readerLost),
    cardOnBed: null,
    phonesOnBed: rest.phonesOnBed === true,
    faceTrouble: rest.faceTrouble === null ? null : failure(rest.faceTrouble),
    connected: rest.connected,
    disconnectedSinceMs: rest.disconnectedSinceMs,
    disconnection: failure(rest.disconnection),
    challengesReady: rest.challengesReady,
    agentTrouble: null,
    earlier: [],
    speaking: false,
    settings: rest.settings,
    timeouts: rest.settings?.timeouts ?? firstTimeouts,
    consentCatalogue: catalogue.consents,
  },
  display: rest.display,
  help: null,
  othersGoneAtMs: null,
  unmovedSinceMs: 0,
  // Within reach of the clinic a state of rest has no other deadline.
  chosenUntilMs: rest.chosenUntilMs ?? (rest.disconnectedSinceMs === null ? rest.deadlineMs : null),
});

/** `enteringPin 60000`: the state, its failure if it has one, the ms until its deadline. */
export const stateWord = ({ state }: Session, atMs: number): string =>
  [
    state.name,
    ...('failure' in state && state.failure !== null ? [state.failure.code] : []),
    ...(state.deadlineMs === null ? [] : [Math.round(state.deadlineMs - atMs)]),
  ].join(' ');

/** What is on the screen, without a word of its texts: a notice that words a text anew leaves a story as it was. */
const screenWord = (session: Session, head: TapeHead, catalogue: Catalogue, atMs: number): string => {
  const model = drawScreen(session, {
    catalogue,
    now: { monotonicMs: atMs, wallMs: head.dayMs + atMs },
  });
  const names = (controls: typeof model.controls): string =>
    controls.map(({ id, weight, pressed }) => `${id}${weight === 'primary' ? '*' : ''}${pressed ? '!' : ''}`).join(',');
  const { screen, step, tone, language, theme, textPercent, lead, note, body } = model;
  return [
    `${screen} ${step ?? '-'} ${tone} ${language} ${theme} ${textPercent}`,
    `${body.kind} lead ${lead.length} note ${note === null ? 'no' : 'yes'}`,
    names(model.controls),
    names(model.tools),
  ].join(' | ');
};

/** The machine and the screen run from a tape's head, one event after the other. */
export class TapePlayer {
  readonly #head: TapeHead;
  readonly #catalogue: Catalogue;
  #session: Session;

  constructor(head: TapeHead, catalogue: Catalogue) {
    this.#head = head;
    this.#catalogue = catalogue;
    this.#session = sessionAtRest(head, catalogue);
  }

  /** What follows the event of a line, with its state and its screen. */
  play(line: Pick<TapeLine, 'atMs' | 'event'>): TapeLine {
    const event = eventOf(line as TapeLine, this.#head, this.#catalogue);
    this.#session = transition(this.#session, event).session;
    return {
      ...line,
      state: stateWord(this.#session, line.atMs),
      screen: screenWord(this.#session, this.#head, this.#catalogue, line.atMs),
    };
  }
}

export type Replay = {
  readonly events: number;
  readonly sameStates: boolean;
  readonly sameScreens: boolean;
  /** The first line that is not as it was; null: all are */
  readonly differs: { readonly line: number; readonly was: string; readonly is: string } | null;
};

/** Runs a recorded visit through today's machine and screens. `catalogue`: the one that held on the tape's day. */
export const replayTape = ({ head, lines }: Tape, catalogue: Catalogue): Replay => {
  const player = new TapePlayer(head, catalogue);
  const compared = lines.map((was, index) => ({ line: index + 2, was, is: player.play(was) }));
  const state = compared.find(({ was, is }) => was.state !== is.state);
  const screen = compared.find(({ was, is }) => was.screen !== is.screen);
  const differs =
    state !== undefined && (screen === undefined || state.line <= screen.line)
      ? { line: state.line, was: state.was.state, is: state.is.state }
      : screen === undefined
        ? null
        : { line: screen.line, was: screen.was.screen, is: screen.is.screen };
  return { events: lines.length, sameStates: state === undefined, sameScreens: screen === undefined, differs };
};
