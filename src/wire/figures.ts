import { z } from 'zod';

/*
 * What a terminal measures of itself: one table for its own metrics, for `state`, for the agent's metrics and for the alerts.
 * Counters begin at 0 with the process. Nothing of a person: numbers of visits, parts and bytes.
 */

type Figure = { readonly type: 'gauge' | 'counter'; readonly help: string };
const gauge = (help: string): Figure => ({ type: 'gauge', help });
const counter = (help: string): Figure => ({ type: 'counter', help });

/** By what stands after `uketsuke_terminal_`; base units, as Prometheus names them. */
export const terminalFigures = {
  up_seconds: gauge('How long this run of the terminal has lasted.'),
  memory_bytes: gauge('Resident memory of the terminal process.'),
  store_free_bytes: gauge('Free where the terminal keeps its state.'),
  certificate_left_seconds: gauge("Life left of the device's certificate for the broker."),
  clock_ahead_seconds: gauge("How far this machine's own clock is ahead of the agent's."),
  requests_waiting: gauge('Signed requests on this disk without a receipt.'),
  reader_up: gauge('1: the card reader is there.'),
  face_up: gauge('1: camera and face process can work.'),
  screen_up: gauge("1: a browser shows the patient's screen."),
  keypad_up: gauge('1: the keypad is there; 0 also where this terminal has none.'),
  light_up: gauge('1: the status light is there; 0 also where this terminal has none.'),
  broker_up: gauge('1: the broker is reached.'),
  agent_up: gauge('1: an agent answers, and says of no trouble.'),
  visits_accepted_total: counter('Visits that ended with 受付完了.'),
  visits_refused_total: counter('Visits whose request was refused.'),
  visits_desk_total: counter('Visits sent to the desk.'),
  visits_cancelled_total: counter('Visits that were left or cancelled.'),
  parts_lost_total: counter('Times a part of the terminal was lost.'),
  card_resets_total: counter('Times the reader reset a card by itself.'),
  warnings_total: counter('Warnings in the event log.'),
  errors_total: counter('Errors in the event log.'),
} as const satisfies Readonly<Record<string, Figure>>;

export type FigureName = keyof typeof terminalFigures;

const figure = z.number().min(-1e15).max(1e15).optional();
export const figuresSchema = z.strictObject(
  Object.fromEntries(Object.keys(terminalFigures).map((name) => [name, figure])) as Record<FigureName, typeof figure>,
);

/** A figure that is not known is left out. */
export type TerminalFigures = z.infer<typeof figuresSchema>;
