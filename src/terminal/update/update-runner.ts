import type { Update, UpdateEffect, UpdateEvent } from '../../core/update/update.ts';
import { initialUpdate, transition, wakeAtMs } from '../../core/update/update-machine.ts';
import type { Clock } from '../../ports/clock.ts';
import type { UpdateBoard } from '../../ports/update-board.ts';

/** An event without its instant, which the runner adds. */
type Told<E = UpdateEvent> = E extends UpdateEvent ? Omit<E, 'at'> : never;

export type UpdateRunner = {
  /** Looks at the board and begins. */
  start(): Promise<void>;
  tell(event: Told): void;
  update(): Update;
  close(): void;
};

/** One effect but `Keep`, and the event that answers it. */
const carryOut = async (board: UpdateBoard, effect: UpdateEffect): Promise<Told | null> => {
  switch (effect.type) {
    case 'Keep':
      return null;
    case 'Install': {
      const ended = await board.install(effect.bundle, effect.target);
      return ended === 'ok' ? { type: 'Installed' } : { type: 'InstallFailed', reason: ended };
    }
    case 'Restart':
      await board.restart(effect.into, effect.trial);
      return null;
    case 'TakeOverState':
      return { type: 'StateTaken', ok: await board.takeOver(effect.from, effect.to) };
    case 'AskHealth':
      return { type: 'HealthAnswered', ok: await board.askHealth() };
    case 'Commit':
      return { type: 'Committed', ok: await board.commit(effect.slot) };
    default:
      return effect satisfies never;
  }
};

/**
 * Carries out what the update machine decides, one step's effects in their order; those of a step begin when the records of
 * the step before are durable. `changed` hears each step.
 */
export const createUpdateRunner = (
  { board, clock }: { readonly board: UpdateBoard; readonly clock: Clock },
  changed: (update: Update, event: UpdateEvent, effects: readonly UpdateEffect[]) => void,
): UpdateRunner => {
  let update = initialUpdate;
  let callOff = (): void => {};
  let closed = false;
  let kept: Promise<unknown> = Promise.resolve();

  const tell = (told: Told): void => {
    if (closed) return;
    const event = { ...told, at: clock.now() } as UpdateEvent;
    const step = transition(update, event);
    update = step.update;
    callOff();
    const wakeAt = wakeAtMs(update);
    callOff = wakeAt === null ? () => {} : clock.wakeAt(wakeAt, () => tell({ type: 'DeadlinePassed' }));
    changed(update, event, step.effects);
    if (step.effects.length > 0) void inOrder(step.effects);
  };

  const keep = async (effect: Extract<UpdateEffect, { type: 'Keep' }>): Promise<boolean> => {
    const before = kept;
    const done = (async () => {
      await before;
      return board.keep(effect.record);
    })();
    kept = done.catch(() => false);
    return done;
  };

  /** What a restart would be told of must be on the disk before anything else is done. */
  const inOrder = async (effects: readonly UpdateEffect[]): Promise<void> => {
    for (const effect of effects) {
      if (effect.type === 'Keep' && !(await keep(effect))) return tell({ type: 'KeepFailed' });
      if (effect.type !== 'Keep') await kept;
      if (closed) return;
      const answer = await carryOut(board, effect);
      if (answer !== null) tell(answer);
    }
  };

  return {
    start: async () => {
      const [looked, record] = await Promise.all([board.look(), board.readRecord()]);
      tell({ type: 'Started', ...looked, record });
    },
    tell,
    update: () => update,
    close: () => {
      closed = true;
      callOff();
    },
  };
};
