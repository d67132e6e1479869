/**
 * Active presentation attack detection: the patient is asked to turn and to blink, three times, in random order and at
 * random times, from rest each time. Turning is read from parallax: on a head the nose moves against the cheeks, on a
 * turned photo it hardly does and the face becomes narrow instead. Pure: time and chance are passed in.
 */
import { LEFT_EYE, meshPoint, RIGHT_EYE } from '../models/find-landmarks.ts';

export type Prompt = 'turn-left' | 'turn-right' | 'blink';

export type HeadSignals = {
  /** Nose between the cheeks: 0 = in the middle, ±0.5 = over a cheek; to the picture's right > 0. */
  readonly noseOffset: number;
  /** Height over width of the more open eye. */
  readonly eyeOpening: number;
  /** Width between the cheeks over height from forehead to under the nose: an open mouth changes nothing. */
  readonly breadth: number;
};

const NOSE = 1;
const LEFT_CHEEK = 234;
const RIGHT_CHEEK = 454;
const FOREHEAD = 10;
const UNDER_NOSE = 2;

const between = (mesh: Float32Array, from: number, to: number): number => {
  const a = meshPoint(mesh, from);
  const b = meshPoint(mesh, to);
  return Math.hypot(b.x - a.x, b.y - a.y);
};

export const readHeadSignals = (mesh: Float32Array): HeadSignals => {
  const left = meshPoint(mesh, LEFT_CHEEK);
  const right = meshPoint(mesh, RIGHT_CHEEK);
  const nose = meshPoint(mesh, NOSE);
  const dx = right.x - left.x;
  const dy = right.y - left.y;
  const along = ((nose.x - left.x) * dx + (nose.y - left.y) * dy) / (dx * dx + dy * dy || 1);
  const opening = ([outer, inner, upper, lower]: readonly [number, number, number, number]): number =>
    between(mesh, upper, lower) / (between(mesh, outer, inner) || 1);
  return {
    noseOffset: along - 0.5,
    eyeOpening: Math.max(opening(LEFT_EYE), opening(RIGHT_EYE)),
    breadth: between(mesh, LEFT_CHEEK, RIGHT_CHEEK) / (between(mesh, FOREHEAD, UNDER_NOSE) || 1),
  };
};

const KINDS: readonly Prompt[] = ['turn-left', 'turn-right', 'blink'];
/** Three prompts, not all alike: 24 sequences. A recording that shows all three answers in turn fits one of them. */
const SEQUENCES: readonly (readonly Prompt[])[] = KINDS.flatMap((first) =>
  KINDS.flatMap((second) => KINDS.map((third) => [first, second, third])),
).filter((prompts) => new Set(prompts).size > 1);
/** Enough time to hear or read, understand and move. */
const ANSWER_WITHIN_MS = 5_000;
/** Nobody sees, understands and turns this quickly: the movement was under way before the prompt. */
const REACTION_MS = 250;
/** Rest before a prompt: for a time that nobody can know. */
const REST_MS = { least: 300, most: 1_200 } as const;
/** Whoever does not come to rest (or back to it after an answer) for so long is asked again from the start. */
const REST_WITHIN_MS = 5_000;
/** How far the nose may wander at rest, and from one rest to the next; a painted person who holds still stays in 0.02. */
const STEADY = 0.06;
/** A head turned by 15 to 25° moves the nose so far. */
const TURN = 0.1;
/**
 * A face so much narrower than at rest whose nose moved less than this part of it is a turned sheet. Painted heads give
 * 1.0 and more, painted sheets 0.0 to 0.9 with two exceptions in sixteen.
 */
const NARROWER = 0.09;
const SHEET = 0.9;
/** One frame may be a slip of the landmark model, of a turned head as of a sheet. */
const SHEET_FRAMES = 2;
const TURNED_FRAMES = 2;
/** Of the opening at rest; laughing gives about 0.8, painted lids that are shut 0.47 to 0.73. */
const CLOSED = 0.75;
const OPEN_AGAIN = 0.85;
/** A camera gives a picture every 30 to 200 ms; in a longer gap anything may have been put before it. */
const GAP_MS = 1_000;

export type PromptFailure = 'unanswered' | 'wrong-answer' | 'too-quick' | 'sheet' | 'no-rest' | 'gap';

export type PromptOutcome =
  | { readonly type: 'waiting'; readonly prompt: Prompt | null }
  | { readonly type: 'passed' }
  | { readonly type: 'failed'; readonly why: PromptFailure };

type Rest = { readonly signals: HeadSignals; readonly sinceMs: number; readonly forMs: number };
type Asked = { readonly prompt: Prompt; readonly atMs: number; readonly rest: HeadSignals };

export class LivenessPrompts {
  private readonly prompts: readonly Prompt[];
  private readonly random: () => number;
  private answered = 0;
  private restUntilMs: number | null = null;
  private rest: Rest | null = null;
  private asked: Asked | null = null;
  /** The first rest: to it the head comes back each time. */
  private neutral: HeadSignals | null = null;
  private hasClosed = false;
  private sheetFrames = 0;
  private turnedFrames = 0;
  private lastAtMs: number | null = null;

  /** `random`: numbers from 0 to less than 1. */
  constructor(random: () => number) {
    this.random = random;
    this.prompts = SEQUENCES[Math.floor(random() * SEQUENCES.length)] as readonly Prompt[];
  }

  /** `isVerified`: the face of this frame was good to compare, and still the card holder's. Only such a frame is rest. */
  take(signals: HeadSignals, isVerified: boolean, atMs: number): PromptOutcome {
    const gapMs = atMs - (this.lastAtMs ?? atMs);
    this.lastAtMs = atMs;
    if (gapMs > GAP_MS) return { type: 'failed', why: 'gap' };
    return this.asked === null ? this.waitForRest(signals, isVerified, atMs) : this.judge(signals, this.asked, atMs);
  }

  private waitForRest(signals: HeadSignals, isVerified: boolean, atMs: number): PromptOutcome {
    this.restUntilMs ??= atMs + REST_WITHIN_MS;
    const home = this.neutral ?? this.rest?.signals ?? signals;
    const isAtRest = isVerified && Math.abs(signals.noseOffset - home.noseOffset) < STEADY;
    if (!isAtRest) this.rest = null;
    else if (this.rest === null) {
      const forMs = REST_MS.least + this.random() * (REST_MS.most - REST_MS.least);
      this.rest = { signals, sinceMs: atMs, forMs };
    }
    const prompt = this.prompts[this.answered];
    // The last answer counts once its giver has looked into the camera again, and is still the same person.
    if (this.rest !== null && prompt === undefined) return { type: 'passed' };
    if (this.rest === null || prompt === undefined || atMs - this.rest.sinceMs < this.rest.forMs)
      return atMs > this.restUntilMs ? { type: 'failed', why: 'no-rest' } : { type: 'waiting', prompt: null };
    this.neutral ??= this.rest.signals;
    this.asked = { prompt, atMs, rest: signals };
    this.hasClosed = false;
    this.sheetFrames = 0;
    this.turnedFrames = 0;
    return { type: 'waiting', prompt };
  }

  private judge(signals: HeadSignals, { prompt, atMs: askedAtMs, rest }: Asked, atMs: number): PromptOutcome {
    const moved = signals.noseOffset - rest.noseOffset;
    const narrower = 1 - signals.breadth / rest.breadth;
    if (narrower > NARROWER && Math.abs(moved) < narrower * SHEET) {
      this.sheetFrames++;
      return this.sheetFrames < SHEET_FRAMES ? { type: 'waiting', prompt } : { type: 'failed', why: 'sheet' };
    }
    // The picture is not mirrored: the patient's left is its right.
    const turned = moved > TURN ? 'turn-left' : moved < -TURN ? 'turn-right' : null;
    if (turned !== null && atMs - askedAtMs < REACTION_MS) return { type: 'failed', why: 'too-quick' };
    if (turned !== null && turned !== prompt) return { type: 'failed', why: 'wrong-answer' };
    this.turnedFrames = turned === prompt ? this.turnedFrames + 1 : 0;
    if (
      this.turnedFrames === TURNED_FRAMES ||
      (prompt === 'blink' && this.hasBlinked(signals, rest, atMs - askedAtMs))
    ) {
      this.answered++;
      this.asked = null;
      this.rest = null;
      this.restUntilMs = null;
      return { type: 'waiting', prompt: null };
    }
    return atMs - askedAtMs > ANSWER_WITHIN_MS ? { type: 'failed', why: 'unanswered' } : { type: 'waiting', prompt };
  }

  private hasBlinked({ eyeOpening }: HeadSignals, rest: HeadSignals, forMs: number): boolean {
    const hasOpenedAgain = this.hasClosed && eyeOpening > rest.eyeOpening * OPEN_AGAIN;
    // People blink of themselves, too: what falls together with the prompt is no answer to it.
    if (forMs >= REACTION_MS) this.hasClosed ||= eyeOpening < rest.eyeOpening * CLOSED;
    return hasOpenedAgain;
  }
}
