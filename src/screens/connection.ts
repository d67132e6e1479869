import { signal } from '@preact/signals';
import type { ScreenModel, Touch } from '../core/screen/screen-model.ts';
import type { ControlId } from '../core/visit/control-ids.ts';
import { type Sound, sound } from './sound.ts';

/** What is to be drawn, or null before the first word from the terminal. */
export const model = signal<ScreenModel | null>(null);
/** `performance.now()` when the model came: countdowns run on from there. */
export const modelAtMs = signal(0);
/** The newest preview picture, or null when there is none. */
export const preview = signal<Blob | null>(null);
/** Cut off for so long that what stands on the screen may be somebody else's by now. */
export const away = signal(false);
/** The touch that is on its way; its control shows at once that it was felt. */
export const touched = signal<{ readonly revision: number; readonly key: string } | null>(null);

/** A cut shorter than this changes nothing on the screen. */
const coverAfterMs = 2_500;
/** A terminal that restarts is found again before anybody notices. ms */
const retryMs = 400;
/** That the page paints is told this often: the terminal's watchdog lives on it. Each asks for a frame, which costs more than all else that the page does at night. ms */
const heartbeatMs = 6_000;
/** A touch that the terminal did not take looks felt no longer than this. */
const feltMs = 800;

let socket: WebSocket | null = null;
let cover: ReturnType<typeof setTimeout> | undefined;

const send = (message: string | Uint8Array<ArrayBuffer>): void => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(message);
};

/** The last that was told as painted */
let paintedRevision: number | null = null;

const sayPainted = (): void => {
  if (model.value === null) return;
  paintedRevision = model.value.revision;
  send(JSON.stringify({ painted: paintedRevision }));
};

/** A screen that has changed since tells by itself when it is painted. */
const stillPaints = (): void => {
  if (model.value?.revision === paintedRevision) sayPainted();
};

/** Two frames: the first draws, the second comes after it has been painted. */
const tellPainted = (): void => {
  requestAnimationFrame(() => requestAnimationFrame(sayPainted));
};

export const connect = (): void => {
  const opened = new WebSocket(`ws://${location.host}/screen`);
  socket = opened;
  opened.binaryType = 'blob';
  opened.onmessage = ({ data }: MessageEvent<string | Blob>) => {
    if (typeof data !== 'string') {
      preview.value = data;
      return;
    }
    const message = JSON.parse(data) as {
      readonly model?: ScreenModel;
      readonly sound?: Sound;
      readonly reload?: true;
    };
    if (message.reload === true) {
      // Only while somebody answers: a browser that finds nobody shows a page of its own.
      void fetch('/', { cache: 'no-store' }).then(
        () => location.reload(),
        () => undefined,
      );
      return;
    }
    if (message.sound !== undefined) {
      sound(message.sound, (heard) => send(JSON.stringify({ heard })));
      return;
    }
    if (message.model === undefined) {
      preview.value = null;
      return;
    }
    clearTimeout(cover);
    cover = undefined;
    away.value = false;
    if (message.model.body.kind !== 'face') preview.value = null;
    modelAtMs.value = performance.now();
    model.value = message.model;
    tellPainted();
  };
  opened.onclose = () => {
    cover ??= setTimeout(() => {
      away.value = true;
      model.value = null;
      preview.value = null;
    }, coverAfterMs);
    setTimeout(connect, retryMs);
  };
};

// What stands there has been told as painted: one frame says that frames still come.
setInterval(() => requestAnimationFrame(stillPaints), heartbeatMs);

export const touch = (control: ControlId, value?: string): void => {
  const shown = model.value;
  if (shown === null) return;
  const felt = { revision: shown.revision, key: `${control} ${value ?? ''}` };
  touched.value = felt;
  setTimeout(() => {
    if (touched.value === felt) touched.value = null;
  }, feltMs);
  const sent: Touch = {
    session: shown.session,
    revision: shown.revision,
    control,
    ...(value === undefined ? {} : { value }),
  };
  send(JSON.stringify({ touch: sent }));
};

/** One key of the PIN pad as one byte: ASCII digit, 0x08 clear, 0x0D enter. Kept nowhere. */
export const pressPinKey = (key: number): void => send(Uint8Array.of(key));
