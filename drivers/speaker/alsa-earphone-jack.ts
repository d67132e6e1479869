import { execFile, spawn } from 'node:child_process';

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
  let events: ReturnType<typeof spawn> | null = null;

  const ask = (): void => {
    execFile(amixer, ['-D', card, 'cget', `iface=CARD,name='${control}'`], (error, output) => {
      const inserted = /: values=(on|off)/.exec(output)?.[1] === 'on';
      if (error !== null || closed || inserted === (known ?? false)) return;
      known = inserted;
      tell(inserted);
    });
  };
  const follow = (): void => {
    events = spawn(amixer, ['-D', card, 'events'], { stdio: ['ignore', 'pipe', 'ignore'] });
    events.stdout?.setEncoding('utf8').on('data', (lines: string) => {
      if (lines.includes(control)) ask();
    });
    events.on('error', () => {});
    events.once('close', () => {
      if (closed) return;
      retry = setTimeout(follow, retryMs);
      retry.unref();
    });
    ask();
  };
  follow();
  return {
    close: () => {
      closed = true;
      clearTimeout(retry);
      events?.kill();
    },
  };
};
