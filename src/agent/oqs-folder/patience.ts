import type { FailureCode } from '../../core/failure.ts';
import { delays } from '../../core/visit/delays.ts';

/** Waits between tries where a folder is full, read-only or gone. ms */
const retryMs = [1_000, 2_000, 5_000, 10_000, 30_000];
export const retryPause = (attempt: number): number => retryMs[Math.min(attempt, retryMs.length - 1)] ?? 30_000;

/**
 * A service that does not answer is asked again while the patient stands at the terminal, which waits `delays.resultMs`
 * for us: then the patient is told and sent to the desk. ms
 */
export const patienceMs = delays.resultMs - 2_000;
/**
 * The service answers in 3 to 7 s. Beyond that whoever waits is told that it says nothing, and whose fault that is; the
 * question stands, and its answer comes late. ms
 */
export const silenceMs = 8_000;
/** Pauses between questions: the first few while the patient waits, the rest until the answer comes late. ms */
const askAgainMs = [1_000, 2_000, 3_000, 4_000, 10_000, 30_000, 60_000, 120_000, 300_000];
export const askPause = (attempt: number): number => askAgainMs[Math.min(attempt, askAgainMs.length - 1)] ?? 300_000;

export const serviceAway: ReadonlySet<FailureCode> = new Set([
  'eligibility.unavailable',
  'eligibility.maintenance',
  'eligibility.no-answer',
  'eligibility.line-down',
  'eligibility.jpki-unavailable',
]);
/** What is known not to end in seconds: the patient is told at once. */
export const lasting: ReadonlySet<FailureCode> = new Set([
  'eligibility.maintenance',
  'eligibility.line-down',
  'eligibility.jpki-unavailable',
]);
