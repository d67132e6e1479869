import { hourMs } from '../../core/time-units.ts';
import { carryOut } from './orders.ts';
import type { PageModel } from './page-model.ts';

/** Registered no longer ago than this, a terminal that reports for the first time is new here. ms */
const newForMs = hourMs;

/** An order that a release on trial could not carry out yet is given again: it has 45 s. ms */
const tryAgainMs = 3_000;

/**
 * A release that has not proved itself is tried again and again until its test request has passed, or the terminal has gone
 * back. `look`: call it whenever something has changed.
 */
export const tryReleasesOnTrial = (model: PageModel): { look(): void; close(): void } => {
  const { clock } = model.context;
  const resting = new Map<string, () => void>();
  const look = (): void => {
    for (const { device, state } of model.desk.lanes.all()) {
      if (state?.status !== 'out-of-service' || state.code !== 'update.on-trial' || resting.has(device)) continue;
      const again = (): void => {
        resting.delete(device);
        look();
      };
      resting.set(device, clock.wakeAt(clock.now().monotonicMs + tryAgainMs, again));
      void carryOut('/test-visit', new URLSearchParams({ device }), model).catch(() => {});
    }
  };
  const close = (): void => {
    for (const callOff of resting.values()) callOff();
  };
  return { look, close };
};

/**
 * A terminal that was added a moment ago is tried out as soon as it is ready for patients, once: nobody has to remember to
 * press テスト受付 after setting it up. What came of it stands in its lane. Call it whenever something has changed.
 */
export const tryNewTerminals = (model: PageModel): (() => void) => {
  const tried = new Set<string>();
  const isNew = (device: string, now: number): boolean => {
    const addedAt = model.context.devices().get(device)?.addedAt ?? 0;
    if (now - addedAt > newForMs) return false;
    return model.context.journal.visits(addedAt).every((visit) => visit.device !== device);
  };
  return () => {
    const now = model.nowMs();
    for (const { device, state } of model.desk.lanes.all()) {
      if (tried.has(device) || state?.status !== 'idle') continue;
      tried.add(device);
      if (isNew(device, now)) void carryOut('/test-visit', new URLSearchParams({ device }), model).catch(() => {});
    }
  };
};
