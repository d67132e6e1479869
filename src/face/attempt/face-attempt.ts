/**
 * The course of one attempt, without clock or models: findings go in, what to tell comes out. Several good frames are
 * compared together, so that one lucky frame decides nothing.
 */
import { type FaceHint, isFacePrompt, type PadStrength } from '../../core/visit/verification.ts';
import type { HeadSignals } from '../measures/head-signals.ts';
import { comparisonScore, type Embedding } from '../models/embed-face.ts';
import { limits } from './choose-hint.ts';
import { EarlyFrames } from './early-frames.ts';
import { LivenessPrompts, type PromptFailure } from './liveness-prompts.ts';
import { NearMissTurns } from './near-miss-turns.ts';
import { ProbeSet } from './probe-set.ts';
import { EvidenceScale, type LivenessEvidence } from './weigh-evidence.ts';

/** What the attempt tells; the same words as FaceAttemptEvent. */
export type AttemptStep =
  | { readonly type: 'hint'; readonly hint: FaceHint | null }
  | { readonly type: 'matched' }
  | { readonly type: 'missed' }
  /** Whether a living person stands there could not be told, and one prompt did not tell it either. */
  | { readonly type: 'unsure' }
  /** Looks like a picture of a face, not like a face. */
  | { readonly type: 'suspected' };

export type AttemptFinding = {
  /** This very frame has come before in this attempt, and not just before: no live sensor does that. */
  readonly isRepeated?: boolean;
} & (
  | { readonly hint: FaceHint; readonly embedding?: undefined; readonly signals?: HeadSignals }
  /** With a hint: a guess that the face is covered or turned away. */
  | { readonly hint: FaceHint | null; readonly embedding: Embedding; readonly signals: HeadSignals }
);

/** During the prompts the face must stay the same person's; turned heads score lower, another person's far lower. */
const continuityMargin = 0.2;
/** At rest before and after each prompt the latest frames together must match nearly as well as they did at first. */
const restMargin = 0.05;
/** A film that shows every answer fits one sequence in 24: it is not played until one comes. */
const mostFailedSequences = 3;
/** A head turned far is not seen as a face for a moment; whoever is gone longer begins again. */
const unseenMs = 500;

/** No decision on a single frame. */
const minFrames = 2;
/** A try is a miss when both have gone by since its first good frame: enough frames, and time to hold still. */
const missFrames = 8;
/** A camera of 15 frames a second gives eight in half a second: time to hold still is the longer of the two. ms */
const missAfterMs = 1_500;
/**
 * A hint stays this long before another replaces it, so that it can be read; "hold still" (null) gives way at once. With
 * a frame's interval and the time to look at it the next one is told within 700 ms all the same (`npm run guidance-eval`).
 */
const hintDwellMs = 400;
/** One that was told just before the present one: whoever hears two in turn can follow neither. */
const returnDwellMs = 1_500;
/** A guess that is not made of every frame is told on until no frame has been so for this long. */
const guessGoneMs = 700;
/** Taking off a mask or a hat takes an old person so long. */
const guessForMs = 4_000;
/** A guess that comes and goes, with nobody who does anything about it, is not told a third time. */
const mostTold = 2;
/** What may seem to be before a face and hide nothing: a brim, thick glasses, a head held askew. */
const minorGuesses: ReadonlySet<FaceHint> = new Set(['uncover-face', 'look-here', 'glasses-glare']);
/**
 * A mask or dark glasses come off, recognised or not, but where nothing can be there: half of a face that is hidden costs a third of
 * the score and more (`npm run guidance-eval` paints them on faces that score 1).
 */
const bareMargin = 0.2;
/**
 * Whoever is recognised so long in spite of a minor guess, as well as is asked of everybody, has been told and could read it. With a
 * second nobody who stands well hears what is not the matter for longer.
 */
const recognisedForMs = 600;

type MissReason = PromptFailure | 'other-face' | 'no-face' | 'no-match' | 'repeated-frame' | 'evidence';

type Told = {
  /** undefined: nothing yet */
  readonly hint: FaceHint | null | undefined;
  readonly atMs: number;
  /** The last other hint before it. */
  readonly before: FaceHint | null;
  /** A guess that is still believed. */
  isGuess: boolean;
  /** When a frame last asked for it. */
  seenAtMs: number;
};

export class AttemptCourse {
  #reference: Embedding | null = null;
  readonly #threshold: number;
  readonly #probes = new ProbeSet();
  /** When a face first seemed covered or turned away in this try. */
  #guessedSinceMs: number | null = null;
  /** Frames of a guess, compared apart: what they come to decides about the guess alone. */
  readonly #guessedProbes = new ProbeSet();
  #recognisedSinceMs: number | null = null;
  /** Guesses that the face was recognised in spite of: not told again, and compared as all others. */
  readonly #seenThrough = new Set<FaceHint>();
  /** Guesses that nobody did anything about in an earlier try, or could: still not compared at first, but not told again. */
  readonly #disbelieved = new Set<FaceHint>();
  /** How often each guess was told in this attempt. */
  readonly #guessesTold = new Map<FaceHint, number>();
  #goodFrames = 0;
  #firstGoodAtMs = 0;
  readonly #padStrength: PadStrength;
  readonly #random: () => number;
  readonly #evidence: EvidenceScale;
  readonly #early = new EarlyFrames();
  #failedSequences = 0;
  /** Set once the person is known to be the card's, and is to be seen moving. */
  #prompts: LivenessPrompts | null = null;
  #evidenceWanted = false;
  /** How many frames have been weighed in a row, and since when. */
  #weighed = { frames: 0, sinceMs: 0 };
  readonly #turns: NearMissTurns;
  #seenAtMs = 0;
  /** What the latest miss or suspicion came from: for reports, never told to anybody. */
  why: MissReason | null = null;
  #told: Told = { hint: undefined, atMs: 0, before: null, isGuess: false, seenAtMs: 0 };
  /** What the latest frame asked to be told. */
  #asked: FaceHint | null | undefined;

  /** `random`: numbers in 0..1, for the order and time of prompts; must not be guessable. */
  constructor(threshold: number, padStrength: PadStrength, random: () => number, hasDepthCamera = false) {
    this.#threshold = threshold;
    this.#padStrength = padStrength;
    this.#random = random;
    this.#turns = new NearMissTurns(random);
    this.#evidence = new EvidenceScale(hasDepthCamera);
  }

  /**
   * Comparing begins with it; until then frames give hints only. Taken over: overwritten by `wipe`. `atMs`: now, monotonic; the
   * frames that came just before decide at once where they can. `hasRepeated`: as in a finding, also of frames nobody looked at.
   */
  compareWith(reference: Embedding, atMs: number, hasRepeated = false): AttemptStep[] {
    this.#reference?.fill(0);
    this.#reference = reference;
    if (this.#padStrength !== 'off' && hasRepeated) return this.#suspect('repeated-frame');
    const early = this.#early.take(reference, this.#threshold, atMs);
    if (this.#probes.score(reference) < this.#threshold) return [];
    // While the photo had the models nobody looked: whoever was seen before it was not away since.
    this.#seenAtMs = atMs;
    return early.flatMap((evidence) => this.weigh(evidence));
  }

  /** Nothing more is needed of frames until the card's photo is there. */
  get awaitsPhoto(): boolean {
    return this.#reference === null && this.#early.isWhole;
  }

  #tellHint(hint: FaceHint | null, atMs: number, kind: 'sure' | 'guess' | 'prompt' = 'sure'): AttemptStep[] {
    const told = this.#told;
    // One frame may be a slip, and whoever is told something for it hears it for half a second and more.
    const isSlip = told.hint !== undefined && !isFacePrompt(told.hint) && hint !== null && hint !== this.#asked;
    this.#asked = hint;
    if (hint === told.hint) {
      told.seenAtMs = atMs;
      return [];
    }
    if (kind !== 'prompt' && (isSlip || this.#isBeingRead(hint, atMs))) return [];
    const before = kind === 'prompt' ? null : (told.hint ?? told.before);
    this.#told = { hint, atMs, before, isGuess: kind === 'guess', seenAtMs: atMs };
    return [{ type: 'hint', hint }];
  }

  #tellGuess(hint: FaceHint | null, atMs: number): AttemptStep[] {
    if (hint === null || this.#disbelieved.has(hint)) return this.#tellHint(null, atMs);
    const times = this.#guessesTold.get(hint) ?? 0;
    if (times === mostTold && hint !== this.#told.hint) return this.#tellHint(null, atMs);
    const steps = this.#tellHint(hint, atMs, 'guess');
    if (steps.length > 0) this.#guessesTold.set(hint, times + 1);
    return steps;
  }

  /** What was told last stays for now. */
  #isBeingRead(next: FaceHint | null, atMs: number): boolean {
    const { hint, atMs: toldAtMs, before, isGuess, seenAtMs } = this.#told;
    if (hint === undefined || hint === null) return false;
    if (isGuess && (next === null || next === 'hold-still') && atMs - seenAtMs < guessGoneMs) return true;
    return atMs - toldAtMs < (next !== null && next === before ? returnDwellMs : hintDwellMs);
  }

  #forgetFrames(): void {
    this.#probes.wipe();
    this.#guessedProbes.wipe();
    this.#early.wipe();
    this.#recognisedSinceMs = null;
    this.#guessedSinceMs = null;
    this.#turns.endTry();
    this.#goodFrames = 0;
    this.#forgetEvidence();
    this.#evidenceWanted = false;
    this.#prompts = null;
  }

  #forgetEvidence(): void {
    this.#evidence.forget();
    this.#weighed = { frames: 0, sinceMs: 0 };
  }

  /** The frame just taken would decide, or will once the card's photo is there: what it says of an attack is wanted, in `weigh`. */
  get wantsEvidence(): boolean {
    return this.#evidenceWanted;
  }

  /**
   * `atMs`: when the frame was taken, monotonic. Takes over the embedding. Where `wantsEvidence` is true afterwards, the
   * decision waits for `weigh`.
   */
  take(finding: AttemptFinding, atMs: number): AttemptStep[] {
    this.#evidenceWanted = false;
    if (finding.hint !== null) this.#early.wipe();
    if (this.#padStrength !== 'off' && finding.isRepeated) {
      finding.embedding?.fill(0);
      return this.#suspect('repeated-frame');
    }
    if (this.#prompts !== null) return this.#followPrompts(finding, this.#prompts, atMs);
    if (finding.embedding === undefined) return this.#tellHint(finding.hint, atMs);
    const guess = finding.hint;
    if (guess !== null) this.#tryToSeeThrough(guess, finding.embedding, atMs);
    const hint = this.#believed(guess, atMs);
    const isTurning = this.#turns.isTurning(atMs);
    const steps = isTurning ? [] : this.#tellGuess(hint, atMs);
    if (hint !== null) {
      finding.embedding.fill(0);
      return steps;
    }
    this.#probes.add(finding.embedding);
    if (this.#reference === null) {
      if (guess === null && this.#padStrength !== 'off') {
        this.#early.see(finding.embedding, atMs);
        this.#evidenceWanted = true;
      }
      return steps;
    }
    this.#seenAtMs = atMs;
    if (this.#goodFrames === 0) this.#firstGoodAtMs = atMs;
    this.#goodFrames++;
    if (this.#probes.frames < minFrames) return steps;
    const score = this.#probes.score(this.#reference);
    if (score >= this.#threshold) {
      // Whoever is recognised is told on of nothing that was only guessed.
      this.#told.isGuess = false;
      if (this.#padStrength === 'off') return [...steps, ...this.#match()];
      this.#evidenceWanted = true;
      return steps;
    }
    // Only what belongs to the frames that decide is weighed.
    this.#forgetEvidence();
    const isLongEnough = this.#goodFrames >= missFrames && atMs - this.#firstGoodAtMs >= missAfterMs;
    if (isTurning || !isLongEnough) return steps;
    const side = this.#turns.ask(score - this.#threshold, atMs);
    if (side !== null) return [...steps, ...this.#tellHint(side, atMs, 'prompt')];
    return [...steps, ...this.#miss('no-match')];
  }

  /** What the frame just taken says of an attack; only when `wantsEvidence`. */
  weigh(evidence: LivenessEvidence): AttemptStep[] {
    this.#evidenceWanted = false;
    if (this.#reference === null) {
      this.#early.add(evidence);
      return [];
    }
    this.#evidence.add(evidence);
    if (this.#prompts !== null) return this.#evidence.weigh() === 'attack' ? this.#suspect('evidence') : [];
    const weight = this.#evidence.weigh();
    if (weight === null) return this.#isWeighedLongEnough() ? this.#miss('evidence') : [];
    if (weight === 'attack') return this.#suspect('evidence');
    if (this.#padStrength === 'active') this.#prompts = new LivenessPrompts(this.#random, 'sequence');
    else if (weight === 'unsure') this.#prompts = new LivenessPrompts(this.#random, 'single');
    else if (weight === 'framed') this.#prompts = new LivenessPrompts(this.#random, 'strict');
    else return this.#match();
    return [];
  }

  /**
   * A hint that is guessed from the look of a face (`hint` beside an embedding) is believed for some seconds: it is told, and
   * the frame is not compared. Whoever could do something about it has done it by then. From then on, until the try ends, such
   * frames are as all others: nobody is told for ever to take off a beard.
   */
  #believed(hint: FaceHint | null, atMs: number, isSeenThrough = true): FaceHint | null {
    if (hint === null || (isSeenThrough && this.#seenThrough.has(hint))) return null;
    this.#guessedSinceMs ??= atMs;
    if (atMs - this.#guessedSinceMs < guessForMs) return hint;
    this.#told.isGuess = false;
    this.#disbelieved.add(hint);
    return null;
  }

  #tryToSeeThrough(guess: FaceHint, embedding: Embedding, atMs: number): void {
    if (this.#reference === null || this.#seenThrough.has(guess)) return;
    this.#guessedProbes.add(embedding.slice());
    const asWellAs = this.#threshold + (minorGuesses.has(guess) ? 0 : bareMargin);
    const isRecognised =
      this.#guessedProbes.frames >= minFrames && this.#guessedProbes.score(this.#reference) >= asWellAs;
    if (!isRecognised) this.#recognisedSinceMs = null;
    else this.#recognisedSinceMs ??= atMs;
    if (atMs - (this.#recognisedSinceMs ?? atMs) < recognisedForMs) return;
    this.#seenThrough.add(guess);
    this.#told.isGuess = false;
  }

  /**
   * From the first frame that was weighed, not from the try's first: who matches late, after the head was turned, has given
   * as little evidence by then as anybody.
   */
  #isWeighedLongEnough(): boolean {
    if (this.#weighed.frames === 0) this.#weighed.sinceMs = this.#seenAtMs;
    this.#weighed.frames++;
    return this.#weighed.frames >= missFrames && this.#seenAtMs - this.#weighed.sinceMs >= missAfterMs;
  }

  #match(): AttemptStep[] {
    this.#forgetFrames();
    return [{ type: 'matched' }];
  }

  #miss(why: MissReason): AttemptStep[] {
    this.why = why;
    this.#forgetFrames();
    return [{ type: 'missed' }];
  }

  #suspect(why: MissReason): AttemptStep[] {
    this.why = why;
    this.#forgetFrames();
    return [{ type: 'suspected' }];
  }

  /**
   * Only a sheet is what no living face can show. Whoever did not hear, cannot turn, or is seen askew all the time is no
   * attacker for it.
   */
  #failPrompts(why: PromptFailure): AttemptStep[] {
    if (this.#padStrength === 'active' && ++this.#failedSequences < mostFailedSequences) return this.#miss(why);
    // Enough: staff or the PIN serve as well, and nobody is kept before the camera.
    if (why === 'sheet') return this.#suspect(why);
    this.why = why;
    this.#forgetFrames();
    return [{ type: 'unsure' }];
  }

  /** A turned head is no good frame to compare, but its points are. Another face or a vanished one ends it. */
  #followPrompts(finding: AttemptFinding, prompts: LivenessPrompts, atMs: number): AttemptStep[] {
    const { signals, embedding } = finding;
    if (signals === undefined) return atMs - this.#seenAtMs > unseenMs ? this.#miss('no-face') : [];
    this.#seenAtMs = atMs;
    // Whoever is held for turned away while they come to rest is seen through as before the prompts. But they were recognised
    // before: while they still are, they are not told so first. Unless the nose is over a cheek: from there no turn is seen.
    const isFar = !prompts.hasRested && Math.abs(signals.noseOffset) > limits.turnedNose;
    if (embedding !== undefined && finding.hint !== null && !prompts.hasRested)
      this.#tryToSeeThrough(finding.hint, embedding, atMs);
    const hint = embedding === undefined ? finding.hint : this.#believed(finding.hint, atMs, !isFar);
    let isVerified = false;
    if (embedding !== undefined && this.#reference !== null) {
      const isOther = comparisonScore(embedding, this.#reference) < this.#threshold - continuityMargin;
      // A head that turns as it was asked to scores low and looks as if covered, and is no other face for it. At rest a guess keeps
      // nobody from being compared: whoever came as far as the prompts was recognised, and has to be recognised again. But the first
      // rest is of a head that looks here.
      const isTurned = prompts.isAway(signals) || (hint === 'look-here' && !prompts.hasRested);
      if (finding.hint !== null && (isOther || isTurned)) embedding.fill(0);
      else {
        this.#probes.add(embedding);
        if (isOther) return this.#miss('other-face');
        isVerified = this.#probes.score(this.#reference) >= this.#threshold - restMargin;
        this.#evidenceWanted = isVerified;
      }
    }
    const outcome = prompts.take(signals, isVerified, atMs);
    if (outcome.type === 'waiting' && outcome.prompt !== null) return this.#tellHint(outcome.prompt, atMs, 'prompt');
    if (outcome.type === 'waiting') {
      // Whoever has turned the head and hears "stay like that" stays turned; who does not see the screen always does.
      if (prompts.isAway(signals)) return this.#tellHint('look-here', atMs);
      const isRecognised = embedding !== undefined && !prompts.hasRested && !isFar && this.#recognisedSinceMs !== null;
      return this.#helpToRest(isVerified || isRecognised ? null : hint, embedding !== undefined, atMs);
    }
    return outcome.type === 'passed' ? this.#match() : this.#failPrompts(outcome.why);
  }

  /**
   * The ordinary hints help the head to come to rest. But nobody has put anything before the face that was just free, and a
   * head on its way back from a turn looks as if: such a guess is not told.
   */
  #helpToRest(hint: FaceHint | null, isGuess: boolean, atMs: number): AttemptStep[] {
    const isNews = hint === 'look-here' && !this.#disbelieved.has(hint);
    if (hint === null || (isGuess && !isNews)) return this.#tellHint('hold-still', atMs);
    return this.#tellHint(hint, atMs, isGuess ? 'guess' : 'sure');
  }

  /** Overwrites reference and frames. */
  wipe(): void {
    this.#forgetFrames();
    this.#reference?.fill(0);
    this.#reference = null;
  }
}
