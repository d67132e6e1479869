import { failure } from '../../core/failure.ts';
import { err, type Result } from '../../core/result.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EligibilityService } from './eligibility-service.ts';

/** The service answers in 3 to 7 s; four times that long means that no answer will come. ms */
export const serviceLimitMs = 30_000;
/** What was signed beforehand comes with the lookup, whose answer a terminal waits 4 s for: whoever is late is asked as ever. ms */
const preCheckInLimitMs = 3_000;
/** Whether an address takes a connection is told within 1 s; a patient is waiting to hear whose fault the silence is. ms */
const reachLimitMs = 2_000;

/** The same service, whose every question ends in time: `eligibility.no-answer` instead of waiting for ever. */
export const withTimeLimit = (
  service: EligibilityService,
  clock: Clock,
  limitMs = serviceLimitMs,
): EligibilityService => {
  /** What an adapter throws, at once or later, is no answer either. */
  const ended = <T>(ask: () => Promise<T>, withinMs: number, instead: (detail: string) => T): Promise<T> =>
    new Promise((resolve) => {
      const giveUp = (detail: string): void => resolve(instead(detail));
      const cancel = clock.wakeAt(clock.now().monotonicMs + withinMs, () => giveUp(`no answer within ${withinMs} ms`));
      const asked = (async () => ask())();
      asked.then(resolve, () => giveUp('the adapter failed')).finally(cancel);
    });
  const limited = <T>(ask: () => Promise<Result<T>>, withinMs = limitMs): Promise<Result<T>> =>
    ended(ask, withinMs, (detail) => err(failure('eligibility.no-answer', detail)));
  const { preCheckIns } = service;
  return {
    ...(preCheckIns && {
      preCheckIns: (...asked) => limited(() => preCheckIns.apply(service, asked), preCheckInLimitMs),
    }),
    lookup: (card) => limited(() => service.lookup(card)),
    register: (card) => limited(() => service.register(card)),
    check: (card, choices) => limited(() => service.check(card, choices)),
    registerReference: (inquiry, number) => limited(() => service.registerReference(inquiry, number)),
    inquire: (inquiry) => limited(() => service.inquire(inquiry)),
    isReached: () =>
      ended<boolean | null>(
        () => service.isReached(),
        reachLimitMs,
        () => null,
      ),
  };
};
