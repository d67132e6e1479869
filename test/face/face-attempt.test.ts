import { expect, test } from 'vitest';
import type { FaceHint } from '../../src/core/verification.ts';
import { AttemptCourse, type AttemptFinding, type LivenessEvidence } from '../../src/face/face-attempt.ts';

const reference = () => Float32Array.of(1, 0);
/** An embedding whose comparison score with the reference is `score`. */
const scoring = (score: number): AttemptFinding => ({
  hint: null,
  embedding: Float32Array.of(score, Math.sqrt(1 - score * score)),
});
const hinting = (hint: FaceHint): AttemptFinding => ({ hint });

/** Feeds findings 100 ms apart; returns what was told, with its frame. */
const play = (findings: readonly AttemptFinding[], everyMs = 100): string[] => {
  const course = new AttemptCourse(0.45, 'off', Math.random);
  course.compareWith(reference());
  return findings.flatMap((finding, i) =>
    course.take(finding, i * everyMs).map((step) => `${i} ${step.type === 'hint' ? `hint ${step.hint}` : step.type}`),
  );
};

test('two good frames of the right person match', () => {
  expect(play([scoring(0.8), scoring(0.8)])).toEqual(['0 hint null', '1 matched']);
});

test('the threshold itself matches, a little less does not', () => {
  expect(play([scoring(0.4501), scoring(0.4501)])).toContain('1 matched');
  expect(play([scoring(0.449), scoring(0.449)])).not.toContain('1 matched');
});

test('one lucky frame among others decides nothing', () => {
  expect(play([scoring(0.1), scoring(0.6), scoring(0.1)]).filter((step) => step.endsWith('matched'))).toEqual([]);
});

test('another person is a miss after enough frames and enough time, and again', () => {
  const told = play(Array.from({ length: 40 }, () => scoring(0.2)));
  expect(told).toEqual(['0 hint null', '15 missed', '31 missed']);
});

test('a slow machine gives its eight frames before it calls a miss', () => {
  expect(
    play(
      Array.from({ length: 9 }, () => scoring(0.2)),
      500,
    ),
  ).toEqual(['0 hint null', '7 missed']);
});

test('the first hint is told at once, the next only after it could be read', () => {
  const findings = [hinting('nearer'), ...Array.from({ length: 8 }, () => hinting('move-left'))];
  expect(play(findings)).toEqual(['0 hint nearer', '7 hint move-left']);
});

test('frames with a hint do not count towards a miss', () => {
  expect(play(Array.from({ length: 60 }, () => hinting('nearer')))).toEqual(['0 hint nearer']);
});

test('before the reference has come there are hints but no misses; with it, the frames seen last decide at once', () => {
  const course = new AttemptCourse(0.45, 'off', Math.random);
  const told = Array.from({ length: 30 }, (_, i) => course.take(scoring(0.8), i * 100)).flat();
  expect(told).toEqual([{ type: 'hint', hint: null }]);
  course.compareWith(reference());
  expect(course.take(scoring(0.8), 3_000)).toEqual([{ type: 'matched' }]);
});

test('reference and frames are overwritten', () => {
  const held = reference();
  const course = new AttemptCourse(0.45, 'off', Math.random);
  course.compareWith(held);
  const frames = [0.1, 0.2, 0.3].map(scoring);
  for (const [i, frame] of frames.entries()) course.take(frame, i * 100);
  course.wipe();
  for (const frame of frames) if (frame.hint === null) expect(Array.from(frame.embedding)).toEqual([0, 0]);
  expect(Array.from(held)).toEqual([0, 0]);
});

const withLiveness = (
  change: Partial<LivenessEvidence> = {},
  embedding: Float32Array = Float32Array.of(0.8, 0.6),
): AttemptFinding => ({
  hint: null,
  embedding,
  liveness: {
    bonaFide: 0.9,
    moire: 0,
    isRepeated: false,
    signals: { noseOffset: 0, eyeOpening: 0.3 },
    ...change,
  },
});

const playLiveness = (strength: 'passive' | 'active', finding: () => AttemptFinding, frames = 60): string[] => {
  const course = new AttemptCourse(0.45, strength, () => 0.5);
  course.compareWith(reference());
  return Array.from({ length: frames }, (_, i) => course.take(finding(), i * 100))
    .flat()
    .map((step) => (step.type === 'hint' ? `${step.hint}` : step.type));
};

test('passive: good evidence of three frames, then the match', () => {
  expect(playLiveness('passive', () => withLiveness(), 3)).toEqual(['null', 'matched']);
  expect(playLiveness('passive', () => withLiveness(), 2)).toEqual(['null']);
});

test.each<[string, Partial<LivenessEvidence>]>([
  ['the passive model', { bonaFide: 0.1 }],
  ['moiré', { moire: 0.6 }],
  ['a frame that has come before', { isRepeated: true }],
])('passive: %s makes it suspected, and never matched', (_, change) => {
  const told = playLiveness('passive', () => withLiveness(change), 4);
  expect(told).toContain('suspected');
  expect(told).not.toContain('matched');
});

test('active: the right face that answers no prompt is a miss, not a match', () => {
  const told = playLiveness('active', () => withLiveness(), 80);
  expect(told).toContain('missed');
  expect(told).not.toContain('matched');
  expect(told.some((step) => ['turn-left', 'turn-right', 'blink'].includes(step))).toBe(true);
});

test('active: another face after the match ends the prompts', () => {
  let frames = 0;
  const told = playLiveness(
    'active',
    () => {
      frames++;
      return frames < 8 ? withLiveness() : withLiveness({}, Float32Array.of(0, 1));
    },
    9,
  );
  expect(told).toContain('missed');
});
