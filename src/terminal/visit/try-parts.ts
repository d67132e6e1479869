import type { ClinicEvent } from '../delivery/clinic-link.ts';
import type { SessionParts } from './session-parts.ts';

/*
 * What `uketsuke doctor` asks of a terminal that runs: each part does once what a patient will need of it. No picture is
 * shown or kept, nothing is asked of a card; a patient always comes first.
 */

/** `late`: nothing came within the time, good or bad. `present`: it was made to work, and cannot tell what came of it. */
export type Tried = {
  readonly outcome: 'good' | 'present' | 'absent' | 'failed' | 'late';
  readonly ms: number;
  /** With `failed`: by the doctor's names */
  readonly code?: string | undefined;
  /** What the system says */
  readonly detail?: string | undefined;
};
type TriedPart = 'camera' | 'speaker' | 'agent';
/** `busy`: a patient or a test has the parts. */
export type PartsTried = { readonly busy: boolean } & { readonly [Part in TriedPart]?: Tried | undefined };

/** Whoever asks has 5 s for everything. ms */
export const tryingMs = 3_000;
/** A picture that stands still is told by the face process within 2 s of it; a sensor's noise changes every picture. ms */
const watchedMs = 2_200;
/** The first wire whose agents answer a question for a sign of life */
const signOfLifeWire = 2;

type Result = Omit<Tried, 'ms'>;
type TriedTerminal = Pick<SessionParts, 'clinic' | 'clock' | 'speaker' | 'faceVerifier' | 'cardFrontReader'>;

const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** Begins `part`, and takes what it says first; `late` after `withinMs`, or at once when a patient comes. */
const firstWord = (
  { clock }: Pick<TriedTerminal, 'clock'>,
  signal: AbortSignal,
  begin: (tell: (result: Result) => void, after: (ms: number, then: () => void) => void) => () => void,
  withinMs: number = tryingMs,
): Promise<Tried> =>
  new Promise((resolve) => {
    const beganMs = clock.now().monotonicMs;
    const timers: (() => void)[] = [];
    let stop = (): void => {};
    let isOver = false;
    const tell = (result: Result): void => {
      if (isOver) return;
      isOver = true;
      for (const callOff of timers) callOff();
      signal.removeEventListener('abort', late);
      // What says its first word while it begins has not given back how to stop it.
      queueMicrotask(() => stop());
      resolve({ ...result, ms: Math.round(clock.now().monotonicMs - beganMs) });
    };
    const after = (ms: number, then: () => void): void => {
      timers.push(clock.wakeAt(clock.now().monotonicMs + ms, then));
    };
    const late = (): void => tell({ outcome: 'late' });
    signal.addEventListener('abort', late, { once: true });
    after(withinMs, late);
    stop = begin(tell, after);
    if (signal.aborted) late();
  });

/** Pictures through camera and face process: they must change. A camera that sees nothing says so itself. */
export const tryCamera = (
  parts: Pick<TriedTerminal, 'clock' | 'faceVerifier'>,
  signal: AbortSignal,
  withinMs: number = tryingMs,
): Promise<Tried> => {
  const begin: Parameters<typeof firstWord>[2] = (tell, after) => {
    const { promise: noPhoto, resolve: end } = Promise.withResolvers<null>();
    let first: Uint8Array | null = null;
    let changes = false;
    const stop = parts.faceVerifier.start({ referenceJp2: noPhoto, padStrength: 'off' }, (event) => {
      if (event.type === 'failed') tell({ outcome: 'failed', code: event.failure.code });
      if (event.type !== 'preview') return;
      if (first === null) {
        first = event.jpeg.slice();
        after(watchedMs, () => tell(changes ? { outcome: 'good' } : { outcome: 'failed', code: 'camera.frozen' }));
      } else changes ||= !isSame(first, event.jpeg);
      event.jpeg.fill(0);
    });
    return () => {
      stop();
      end(null);
      first?.fill(0);
    };
  };
  return firstWord(parts, signal, begin, withinMs);
};

const trySpeaker = (parts: TriedTerminal, signal: AbortSignal): Promise<Tried> =>
  firstWord(parts, signal, (tell) => {
    const { speaker } = parts;
    if (speaker === null) tell({ outcome: 'absent' });
    else if (speaker.tryNote === undefined) {
      speaker.chime('key');
      tell({ outcome: 'present' });
    } else
      void speaker
        .tryNote()
        .then((why) =>
          tell(why === null ? { outcome: 'good' } : { outcome: 'failed', code: 'speaker.refuses', detail: why }),
        );
    return () => {};
  });

/** A question for a sign of life, answered with the agent's time; it costs the agent no write. */
const askAgent = (parts: TriedTerminal, signal: AbortSignal): Promise<Tried> =>
  firstWord(parts, signal, (tell) => {
    const { clinic } = parts;
    if (!clinic.connected || clinic.agentWire() < signOfLifeWire) {
      tell({ outcome: 'absent' });
      return () => {};
    }
    let isAsked = false;
    const hear = (event: ClinicEvent): void => {
      // What is known already is told to every new listener first.
      if (isAsked && event.type === 'time')
        tell({ outcome: 'good', detail: new Date(event.wallMs).toISOString().slice(0, 19) });
    };
    const unsubscribe = clinic.subscribe(hear);
    isAsked = true;
    clinic.askAgent();
    return unsubscribe;
  });

/** All at once; ends within `tryingMs`, or as soon as `signal` says that a patient came. Never rejects. */
export const tryParts = async (parts: TriedTerminal, signal: AbortSignal): Promise<PartsTried> => {
  const [camera, speaker, agent] = await Promise.all([
    parts.cardFrontReader === null ? ({ outcome: 'absent', ms: 0 } as const) : tryCamera(parts, signal),
    trySpeaker(parts, signal),
    askAgent(parts, signal),
  ]);
  return signal.aborted ? { busy: true } : { busy: false, camera, speaker, agent };
};
