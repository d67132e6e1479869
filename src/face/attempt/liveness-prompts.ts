/**
 * Active presentation attack detection: the patient is asked once to turn the head where the passive evidence leaves doubts, three
 * times to turn or to blink where the facility wants it always; in random order and at random times, from rest each time. Turning
 * is read from parallax: on a head the nose moves against the plane of eyes and mouth, on a turned photo it hardly does and the face
 * becomes narrow instead. Pure: time and chance are passed in.
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
 * by chance every second time, so after a turn that was not asked for two are, each to a side of its own chance. Not where
 * the face stands between the edges of what may be a screen: there a turn to the other side is the last (`strict`).
 */
const mistakesOf = { single: 1, strict: 1, sequence: 0 } as const;
type Kind = keyof typeof mistakesOf;
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
/** A head turned by 15 to 25° moves the nose so far between the cheeks. */
const leastTurn = 0.1;
/**
 * And so far against the plane of eyes and mouth: of 180 painted heads turned by 15 to 25° one in fifty moved it less than 0.07, of
 * 176 sheets turned by 27 to 50°, behind whose narrow faces the landmark model suspects heads that turn, a third moved it further.
 */
const leastParallax = 0.07;
/**
 * A face so much narrower than at rest whose nose moved less than this part of it against that plane is a turned sheet: none of those
 * heads, 97 % of the sheets at 40°. Both together leave 0, 2 and 7 % of sheets at 27, 40 and 50° that look as if they turned as asked;
 * with the nose between the cheeks alone it was 2, 12 and 14 %.
 */
const narrowerBy = 0.09;
const flatSheet = 1;
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
  readonly #kind: Kind;
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

  /** `random`: numbers from 0 to less than 1. `single`, `strict`: one turn; `sequence`: three prompts, not all alike. */
  constructor(random: () => number, kind: Kind) {
    this.#random = random;
    this.#kind = kind;
    this.#prompts = kind === 'sequence' ? oneOf(promptSequences, random) : [oneOf(turns, random)];
    this.#mistakesLeft = mistakesOf[kind];
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
    const parallax = signals.noseInPlane - rest.noseInPlane;
    const narrower = 1 - signals.breadth / rest.breadth;
    if (narrower > narrowerBy && Math.abs(parallax) < narrower * flatSheet) {
      this.#sheetFrames++;
      if (this.#sheetFrames < leastSheetFrames) return { type: 'waiting', prompt };
      const turnsOn = moved * rest.noseOffset > 0 && Math.abs(rest.noseOffset) > askewRest;
      return turnsOn && prompt !== 'blink'
        ? this.#mistaken('sheet', prompt === 'turn-left' ? 'turn-right' : 'turn-left')
        : { type: 'failed', why: 'sheet' };
    }
    // The picture is not mirrored: the patient's left is its right.
    const turned = moved > leastTurn ? 'turn-left' : moved < -leastTurn ? 'turn-right' : null;
    if (turned !== null && atMs - askedAtMs < reactionMs) return this.#mistaken('too-quick');
    if (turned !== null && turned !== prompt) return this.#mistaken('wrong-answer');
    const isHead = parallax * Math.sign(moved) > leastParallax;
    this.#turnedFrames = turned === prompt && isHead ? this.#turnedFrames + 1 : 0;
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

  /** `first`: what is asked next, left to chance without it. */
  #mistaken(why: PromptFailure, first: Prompt = oneOf(turns, this.#random)): PromptOutcome {
    if (this.#mistakesLeft === 0 || (this.#kind === 'strict' && why === 'wrong-answer')) return { type: 'failed', why };
    this.#mistakesLeft--;
    const isOne = why === 'unanswered' || why === 'sheet';
    this.#prompts = isOne ? [first] : [first, oneOf(turns, this.#random)];
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
