/**
 * Active presentation attack detection: the patient is asked once to turn the head where the passive evidence leaves doubts, three
 * times to turn or to blink where the facility wants it always; in random order and at random times, from rest each time. Turning
 * is read from parallax: on a head the nose moves against the cheeks, on a turned photo it hardly does and the face becomes narrow
 * instead. Pure: time and chance are passed in.
 */
import type { HeadSignals } from '../measures/head-signals.ts';

export type Prompt = 'turn-left' | 'turn-right' | 'blink';

const turns: readonly Prompt[] = ['turn-left', 'turn-right'];
const kinds: readonly Prompt[] = [...turns, 'blink'];
const oneOf = <T>(choices: readonly T[], random: () => number): T =>
  choices[Math.floor(random() * choices.length)] as T;
/** Three prompts, not all alike: 24 sequences. A recording that shows all three answers in turn fits one of them. */
const promptSequences: readonly (readonly Prompt[])[] = kinds
  .flatMap((first) => kinds.flatMap((second) => kinds.map((third) => [first, second, third])))
  .filter((prompts) => new Set(prompts).size > 1);
/** Enough time to hear (a spoken prompt takes 3.5 s) or read, understand and move. */
const answerWithinMs = 8_000;
/**
 * A single prompt is to turn the head, and so is what follows a mistake. A blink is none: every film of somebody who looks into
 * the camera blinks within seconds, a photo with holes for the eyes blinks as well as anybody, and behind glasses it is not always
 * seen. Who did not answer is asked once more. Left and right are taken for each other; but a film has turned to the right side
 * by chance every second time, so after a turn that was not asked for two are, each to a side of its own chance.
 */
const singleMistakes = 1;
/** Nobody sees, understands and turns this quickly: the movement was under way before the prompt. */
const reactionMs = 250;
/** Rest before a prompt: for a time that nobody can know. */
const restMs = { least: 300, most: 1_200 } as const;
/** Whoever does not come to rest (or back to it after an answer) for so long is asked again from the start. */
const restWithinMs = 8_000;
/** How far the nose may wander at rest, and from one rest to the next; a painted person who holds still stays in 0.02. */
const steady = 0.06;
/** So far to one side somebody may hold the head at first who then does look into the camera, as they are told to. */
const askew = 0.15;
/** A head turned by 15 to 25° moves the nose so far. */
const leastTurn = 0.1;
/**
 * A face so much narrower than at rest whose nose moved less than this part of it is a turned sheet. Painted heads give
 * 1.0 and more, painted sheets 0.0 to 0.9 with two exceptions in sixteen.
 */
const narrowerBy = 0.09;
const flatSheet = 0.9;
/**
 * A head that is held askew and turns on becomes narrow sooner than a flat nose moves, as the cosine to the sine: it is asked to turn
 * the other way, past the middle, where the two tell a head from a sheet. (A laxer limit for it let through sheets.)
 */
const askewRest = 0.08;
/** One frame may be a slip of the landmark model, of a turned head as of a sheet. */
const leastSheetFrames = 2;
const leastTurnedFrames = 2;
/** Of the opening at rest; laughing gives about 0.8, painted lids that are shut 0.47 to 0.73. */
const closed = 0.75;
const openAgain = 0.85;
/** A camera gives a picture every 30 to 200 ms; in a longer gap anything may have been put before it. */
const longestGapMs = 1_000;

export type PromptFailure = 'unanswered' | 'wrong-answer' | 'too-quick' | 'sheet' | 'no-rest' | 'gap';

type PromptOutcome =
  | { readonly type: 'waiting'; readonly prompt: Prompt | null }
  | { readonly type: 'passed' }
  | { readonly type: 'failed'; readonly why: PromptFailure };

type Rest = { readonly signals: HeadSignals; readonly sinceMs: number; readonly forMs: number };
type Asked = { readonly prompt: Prompt; readonly atMs: number; readonly rest: HeadSignals };

export class LivenessPrompts {
  #prompts: readonly Prompt[];
  #mistakesLeft: number;
  readonly #random: () => number;
  #answered = 0;
  #restUntilMs: number | null = null;
  #rest: Rest | null = null;
  #asked: Asked | null = null;
  /** The first rest: to it the head comes back each time. */
  #neutral: HeadSignals | null = null;
  #hasClosed = false;
  #sheetFrames = 0;
  #turnedFrames = 0;
  #lastAtMs: number | null = null;

  /** `random`: numbers from 0 to less than 1. `single`: one prompt; `sequence`: three, not all alike. */
  constructor(random: () => number, kind: 'single' | 'sequence') {
    this.#random = random;
    this.#prompts = kind === 'single' ? [oneOf(turns, random)] : oneOf(promptSequences, random);
    this.#mistakesLeft = kind === 'single' ? singleMistakes : 0;
  }

  /** `isVerified`: the face of this frame was good to compare, and still the card holder's. Only such a frame is rest. */
  take(signals: HeadSignals, isVerified: boolean, atMs: number): PromptOutcome {
    const gapMs = atMs - (this.#lastAtMs ?? atMs);
    this.#lastAtMs = atMs;
    if (gapMs > longestGapMs) return { type: 'failed', why: 'gap' };
    return this.#asked === null
      ? this.#waitForRest(signals, isVerified, atMs)
      : this.#judge(signals, this.#asked, atMs);
  }

  /** A prompt has been put. */
  get hasRested(): boolean {
    return this.#neutral !== null;
  }

  /**
   * Whether the head is turned away from where it rests: such a view says nothing about who it is. Whoever looks into the camera
   * more than at first, as they were told to, is no further away for it.
   */
  isAway({ noseOffset }: HeadSignals): boolean {
    const home = this.#neutral ?? this.#rest?.signals;
    if (home === undefined) return false;
    const isStraighter = this.#neutral !== null && Math.abs(noseOffset) < Math.abs(home.noseOffset);
    return Math.abs(noseOffset - home.noseOffset) >= (isStraighter ? askew : steady);
  }

  #waitForRest(signals: HeadSignals, isVerified: boolean, atMs: number): PromptOutcome {
    this.#restUntilMs ??= atMs + restWithinMs;
    const isAtRest = isVerified && !this.isAway(signals);
    if (!isAtRest) this.#rest = null;
    else if (this.#rest === null) {
      const forMs = restMs.least + this.#random() * (restMs.most - restMs.least);
      this.#rest = { signals, sinceMs: atMs, forMs };
    }
    const prompt = this.#prompts[this.#answered];
    // The last answer counts once its giver has looked into the camera again, and is still the same person.
    if (this.#rest !== null && prompt === undefined) return { type: 'passed' };
    if (this.#rest === null || prompt === undefined || atMs - this.#rest.sinceMs < this.#rest.forMs)
      return atMs > this.#restUntilMs ? { type: 'failed', why: 'no-rest' } : { type: 'waiting', prompt: null };
    this.#neutral ??= this.#rest.signals;
    this.#asked = { prompt, atMs, rest: signals };
    this.#hasClosed = false;
    this.#sheetFrames = 0;
    this.#turnedFrames = 0;
    return { type: 'waiting', prompt };
  }

  #judge(signals: HeadSignals, { prompt, atMs: askedAtMs, rest }: Asked, atMs: number): PromptOutcome {
    const moved = signals.noseOffset - rest.noseOffset;
    const narrower = 1 - signals.breadth / rest.breadth;
    if (narrower > narrowerBy && Math.abs(moved) < narrower * flatSheet) {
      this.#sheetFrames++;
      if (this.#sheetFrames < leastSheetFrames) return { type: 'waiting', prompt };
      const turnsOn = moved * rest.noseOffset > 0 && Math.abs(rest.noseOffset) > askewRest;
      return turnsOn && prompt !== 'blink'
        ? this.#mistaken('sheet', [prompt === 'turn-left' ? 'turn-right' : 'turn-left'])
        : { type: 'failed', why: 'sheet' };
    }
    // The picture is not mirrored: the patient's left is its right.
    const turned = moved > leastTurn ? 'turn-left' : moved < -leastTurn ? 'turn-right' : null;
    if (turned !== null && atMs - askedAtMs < reactionMs) return this.#mistaken('too-quick');
    if (turned !== null && turned !== prompt) return this.#mistaken('wrong-answer');
    this.#turnedFrames = turned === prompt ? this.#turnedFrames + 1 : 0;
    if (
      this.#turnedFrames === leastTurnedFrames ||
      (prompt === 'blink' && this.#hasBlinked(signals, rest, atMs - askedAtMs))
    ) {
      this.#answered++;
      this.#asked = null;
      this.#rest = null;
      this.#restUntilMs = null;
      return { type: 'waiting', prompt: null };
    }
    return atMs - askedAtMs > answerWithinMs ? this.#mistaken('unanswered') : { type: 'waiting', prompt };
  }

  #mistaken(why: PromptFailure, next?: readonly Prompt[]): PromptOutcome {
    if (this.#mistakesLeft === 0) return { type: 'failed', why };
    this.#mistakesLeft--;
    const again = why === 'unanswered' ? 1 : 2;
    this.#prompts = next ?? Array.from({ length: again }, () => oneOf(turns, this.#random));
    this.#asked = null;
    this.#rest = null;
    this.#restUntilMs = null;
    return { type: 'waiting', prompt: null };
  }

  #hasBlinked({ eyeOpening }: HeadSignals, rest: HeadSignals, forMs: number): boolean {
    const hasOpenedAgain = this.#hasClosed && eyeOpening > rest.eyeOpening * openAgain;
    // People blink of themselves, too: what falls together with the prompt is no answer to it.
    if (forMs >= reactionMs) this.#hasClosed ||= eyeOpening < rest.eyeOpening * closed;
    return hasOpenedAgain;
  }
}
