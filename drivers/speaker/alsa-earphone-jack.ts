import { type RunningProgram, runProgram } from '../host/run-program.ts';

/** A card answers at once, or it hangs. ms */
const askMs = 3_000;

type EarphoneJackOptions = {
  /** ALSA card and control that tell, as `amixer -D hw:0 contents` lists them: `hw:0/Headphone Jack` */
  readonly jack: string;
  /** Program that lists, gets and follows the controls of a card */
  readonly amixer?: string;
  /** Between two attempts to follow a card that is not there. ms */
  readonly retryMs?: number;
};

/**
 * Tells whether an earphone is in, by the jack control that sound cards with a switch in their socket have (many boards
 * have one, most USB cards none). Tells nothing while the card cannot be asked.
 */
export const watchEarphoneJack = (
  { jack, amixer = 'amixer', retryMs = 5_000 }: EarphoneJackOptions,
  tell: (inserted: boolean) => void,
): { close(): void } => {
  const [card, control] = [jack.slice(0, jack.indexOf('/')), jack.slice(jack.indexOf('/') + 1)];
  let known: boolean | null = null;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let events: RunningProgram | null = null;
  let asking: RunningProgram | null = null;
  let askAgain = false;

  /** One at a time: a card that tells much and answers nothing must not gather programs. */
  const ask = async (): Promise<void> => {
    askAgain = true;
    if (asking !== null) return;
    while (askAgain && !closed) {
      askAgain = false;
      let output = '';
      asking = runProgram(amixer, ['-D', card, 'cget', `iface=CARD,name='${control}'`], {
        limitMs: askMs,
        onOutput: (piece) => {
          output += piece.toString('utf8');
        },
      });
      const { how, code } = await asking.ended;
      const inserted = /: values=(on|off)/.exec(output)?.[1] === 'on';
      if (how !== 'ended' || code !== 0 || closed || inserted === (known ?? false)) continue;
      known = inserted;
      tell(inserted);
    }
    asking = null;
  };
  const follow = (): void => {
    events = runProgram(amixer, ['-D', card, 'events'], {
      onOutput: (lines) => {
        if (lines.toString('utf8').includes(control)) void ask();
      },
    });
    void events.ended.then(() => {
      if (closed) return;
      retry = setTimeout(follow, retryMs);
      retry.unref();
    });
    void ask();
  };
  follow();
  return {
    close: () => {
      closed = true;
      clearTimeout(retry);
      events?.stop();
      asking?.stop();
    },
  };
};
