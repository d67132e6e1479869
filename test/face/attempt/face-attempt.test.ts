import { expect, test } from 'vitest';
import type { FaceHint } from '../../../src/core/visit/verification.ts';
import { AttemptCourse, type AttemptFinding } from '../../../src/face/attempt/face-attempt.ts';
import type { LivenessEvidence } from '../../../src/face/attempt/weigh-evidence.ts';

import {
  hinting,
  isPrompt,
  late,
  obeying,
  play,
  playLiveness,
  reference,
  type Seen,
  scoring,
  signals,
  stranger,
  withLiveness,
} from './course-player.ts';

/** A head at rest in one of two views, each at 0.45 to the reference and far from the other: their mean is nearer to it. */
const nearMisses = (liveness: LivenessEvidence): string[] => {
  const course = new AttemptCourse(0.5, 'passive', () => 0.2);
  course.compareWith(Float32Array.of(1, 0, 0), 0);
  const told: string[] = [];
  let isTurned = false;
  const hear = late();
  let hint: FaceHint | null = null;
  for (let i = 0; i < 120 && !told.includes('matched') && !told.includes('missed'); i++) {
    const heard = hear(hint);
    isTurned ||= heard !== null;
    const embedding = isTurned ? Float32Array.of(0.45, -0.5, 0.74) : Float32Array.of(0.45, 0.5, 0.74);
    // Only a prompt after the first one, of the near miss, asks for more than another view.
    const { signals: head = signals } = told.filter(isPrompt).length < 2 ? { signals } : obeying(i, heard);
    const steps = course.take({ hint: null, embedding, signals: head }, i * 100);
    if (course.wantsEvidence) steps.push(...course.weigh(liveness));
    for (const step of steps) {
      if (step.type === 'hint') hint = step.hint;
      told.push(step.type === 'hint' ? `${step.hint}` : step.type);
    }
  }
  return told;
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
  expect(play(findings)).toEqual(['0 hint nearer', '4 hint move-left']);
});

test('frames with a hint do not count towards a miss', () => {
  expect(play(Array.from({ length: 60 }, () => hinting('nearer')))).toEqual(['0 hint nearer']);
});

test('before the reference has come there are hints but no misses; with it, the frames seen last decide at once', () => {
  const course = new AttemptCourse(0.45, 'off', Math.random);
  const told = Array.from({ length: 30 }, (_, i) => course.take(scoring(0.8), i * 100)).flat();
  expect(told).toEqual([{ type: 'hint', hint: null }]);
  course.compareWith(reference(), 0);
  expect(course.take(scoring(0.8), 3_000)).toEqual([{ type: 'matched' }]);
});

test('reference and frames are overwritten', () => {
  const held = reference();
  const course = new AttemptCourse(0.45, 'off', Math.random);
  course.compareWith(held, 0);
  const frames = [0.1, 0.2, 0.3].map(scoring);
  for (const [i, frame] of frames.entries()) course.take(frame, i * 100);
  course.wipe();
  for (const { embedding } of frames) expect(embedding).toEqual(Float32Array.of(0, 0));
  expect(held).toEqual(Float32Array.of(0, 0));
  // A card's photo that comes a second time takes the place of the first.
  const [first, second] = [reference(), reference()];
  course.compareWith(first, 0);
  course.compareWith(second, 0);
  expect(first).toEqual(Float32Array.of(0, 0));
  expect(second).toEqual(Float32Array.of(1, 0));
});

test('passive: good evidence of three frames that would decide, then the match', () => {
  expect(playLiveness('passive', () => withLiveness(), 4)).toEqual(['null', 'matched']);
  expect(playLiveness('passive', () => withLiveness(), 3)).toEqual(['null']);
});

test('evidence is asked for only where a frame would decide', () => {
  const asked: boolean[] = [];
  const course = new AttemptCourse(0.45, 'passive', Math.random);
  course.compareWith(reference(), 0);
  for (const [i, finding] of [scoring(0.2), scoring(0.2), hinting('nearer'), scoring(0.9), scoring(0.9)].entries()) {
    course.take(finding, i * 100);
    asked.push(course.wantsEvidence);
  }
  expect(asked).toEqual([false, false, false, false, true]);
});

test.each<[string, Partial<LivenessEvidence>]>([
  ['moiré', { moire: 0.6 }],
  ['depth', { depth: 'attack' }],
])('passive: %s makes it suspected, and never matched', (_, change) => {
  const told = playLiveness('passive', () => withLiveness(change), 5);
  expect(told).toContain('suspected');
  expect(told).not.toContain('matched');
});

test('passive: between the rims of a sheet the look of a face is not enough, nor is it an attack: one turn is asked', () => {
  const heard = late();
  const told = playLiveness(
    'passive',
    (i, prompt) => {
      const seen = obeying(i, heard(prompt));
      return { ...seen, liveness: { bonaFide: 0.9, moire: 0, rim: 1 } } as Seen;
    },
    120,
  );
  expect(told).not.toContain('suspected');
  expect(told.slice(0, told.indexOf('matched')).filter(isPrompt)).toHaveLength(1);
  // An edge that is seen in one frame of three is none of a sheet.
  expect(playLiveness('passive', (i) => withLiveness({ rim: i % 3 === 0 ? 0.3 : 1 }), 5)).toContain('matched');
});

test.each([
  ['passive', 0],
  ['active', 0],
  ['active, while the prompts run', 20],
] as const)('%s: a frame that has come before makes it suspected', (name, from) => {
  const strength = name === 'passive' ? 'passive' : 'active';
  const told = playLiveness(strength, (i) => ({ ...withLiveness(), isRepeated: i >= from }), from + 1);
  expect(told.at(-1)).toBe('suspected');
});

test('a repeated frame counts whatever it shows, and only where attacks are looked for', () => {
  const repeated: AttemptFinding = { hint: 'nearer', isRepeated: true };
  expect(playLiveness('passive', () => repeated, 1)).toEqual(['suspected']);
  expect(play([repeated])).toEqual(['0 hint nearer']);
});

test('passive: a living stranger lends a photo nothing', () => {
  const told = playLiveness(
    'passive',
    (i) => (i < 10 ? withLiveness({}, stranger()) : withLiveness({ moire: 0.6 }, Float32Array.of(0.99, 0.14))),
    20,
  );
  expect(told).toContain('suspected');
  expect(told).not.toContain('matched');
});

test('with a depth camera nobody matches without its word, and it ends as a miss', () => {
  const told = (depth: LivenessEvidence['depth'], frames = 30) =>
    playLiveness('passive', () => withLiveness(depth === undefined ? {} : { depth }), frames, true);
  expect(told('bona-fide')).toContain('matched');
  for (const depth of [undefined, 'unclear'] as const) {
    expect(told(depth)).not.toContain('matched');
    expect(told(depth)).toContain('missed');
    // 1.5 s from the second frame, the first that is weighed.
    expect(told(depth, 16)).not.toContain('missed');
    expect(told(depth, 17)).toContain('missed');
  }
});

test('active: who does as asked matches, after three prompts', () => {
  const hear = late();
  const told = playLiveness('active', (i, hint) => obeying(i, hear(hint)), 200);
  const first = told.slice(0, told.indexOf('matched') + 1);
  expect(first.filter((step) => ['turn-left', 'turn-right', 'blink'].includes(step))).toHaveLength(3);
  expect(first).not.toContain('missed');
});

test('active: the right face that answers no prompt is a miss, not a match', () => {
  const told = playLiveness('active', () => withLiveness(), 130);
  expect(told).toContain('missed');
  expect(told).not.toContain('matched');
  expect(told.some((step) => ['turn-left', 'turn-right', 'blink'].includes(step))).toBe(true);
});

test('active: three sequences are put and no fourth; the face is closed then', () => {
  const told = playLiveness('active', () => withLiveness(), 400);
  const end = told.indexOf('unsure');
  expect(told.slice(0, end).filter((step) => step === 'missed')).toHaveLength(2);
  expect(told.slice(0, end)).not.toContain('matched');
});

test.each<[string, (i: number) => { readonly embedding?: Float32Array; readonly hint?: FaceHint }]>([
  ['another face', () => ({ embedding: stranger() })],
  ['another face that is never good to compare', () => ({ hint: 'nearer' })],
])('active: %s that does as asked after the match does not match', (_, change) => {
  const hear = late();
  const told = playLiveness('active', (i, hint) => obeying(i, hear(hint), i < 8 ? undefined : change), 120);
  expect(told).toContain('missed');
  expect(told).not.toContain('matched');
});

test('active: half a second without a face ends the prompts, less does not', () => {
  const without = (frames: number) => {
    const hear = late();
    return playLiveness(
      'active',
      (i, hint) => (i >= 8 && i < 8 + frames ? { hint: 'no-face' } : obeying(i, hear(hint))),
      18,
    );
  };
  expect(without(4)).not.toContain('missed');
  expect(without(7)).toContain('missed');
});

test('active: an attack suspected while the prompts are answered is no match', () => {
  const hear = late();
  const told = playLiveness(
    'active',
    (i, hint) => {
      const finding = obeying(i, hear(hint));
      if (i < 8 || finding.hint !== null || finding.liveness === undefined) return finding;
      return { ...finding, liveness: { ...finding.liveness, moire: 0.6 } };
    },
    200,
  );
  expect(told).toContain('suspected');
  expect(told).not.toContain('matched');
});

test.each([
  ['has doubts', 0.1],
  ['cannot judge', null],
] as const)('passive: where the model %s, one prompt is put, and who answers it matches', (_, bonaFide) => {
  const hear = late();
  const told = playLiveness(
    'passive',
    (i, hint) => {
      const seen = obeying(i, hear(hint));
      return seen.liveness === undefined ? seen : { ...seen, liveness: { ...seen.liveness, bonaFide } };
    },
    200,
  );
  const first = told.slice(0, told.indexOf('matched') + 1);
  expect(first.filter(isPrompt)).toHaveLength(1);
  expect(first).not.toContain('missed');
  expect(first).not.toContain('suspected');
});

test('passive: doubts and a face that does not move end at the PIN or the desk, not in a loop', () => {
  const told = playLiveness('passive', () => withLiveness({ bonaFide: 0.1 }), 230);
  const end = told.indexOf('unsure');
  expect(end).toBeGreaterThan(0);
  // One prompt, put a second time.
  expect(told.slice(0, end).filter(isPrompt)).toHaveLength(2);
  expect(told.slice(0, end)).not.toContain('matched');
  // Not to move is nothing that only an attack can show.
  expect(told.slice(0, end)).not.toContain('suspected');
});

test('a near miss is asked once to turn a little, and another view of the face brings the match', () => {
  const course = new AttemptCourse(0.5, 'off', () => 0.2);
  course.compareWith(Float32Array.of(1, 0, 0), 0);
  const told: string[] = [];
  let isTurned = false;
  for (let i = 0; i < 60 && !told.includes('matched'); i++) {
    // Two views, each at 0.45 to the reference and far from each other: their mean is nearer to it than either.
    const embedding = isTurned ? Float32Array.of(0.45, -0.5, 0.74) : Float32Array.of(0.45, 0.5, 0.74);
    for (const step of course.take({ hint: null, embedding, signals }, i * 100)) {
      told.push(step.type === 'hint' ? `${step.hint}` : step.type);
      if (step.type === 'hint' && step.hint !== null) isTurned = true;
    }
  }
  expect(told).toEqual(['null', 'turn-left', 'matched']);
});

test('passive: the latest three frames decide, and one that could not be judged leaves them unsure', () => {
  const told = (scores: readonly (number | null)[]) =>
    playLiveness('passive', (i) => withLiveness({ bonaFide: scores[i - 1] ?? null }), 40).filter(
      (step) => step !== 'null',
    );
  expect(told([0.4, 0.4, 0.4])[0]).toBe('matched');
  // What is unsure leads to a prompt, whatever the frames after it say.
  for (const scores of [
    [0.1, 0.1, 0.1, 0.9, 0.9, 0.9],
    [0.1, 0.1, 0.9, 0.9, 0.9, 0.9],
    [0.9, 0.9, null, 0.9, 0.9, 0.9],
    [null, 0.9, 0.9, 0.9, 0.9, 0.9],
  ]) {
    const steps = told(scores);
    expect(steps.some(isPrompt)).toBe(true);
    expect(steps).not.toContain('matched');
  }
});

test('passive: who matches only after the head was turned a little is weighed as everybody is', () => {
  expect(nearMisses({ bonaFide: 0.9, moire: 0, rim: 0 })).toEqual(['null', 'turn-left', 'matched']);
  // And where the passive model has doubts, one prompt is put, which can be answered.
  const unsure = nearMisses({ bonaFide: 0.1, moire: 0, rim: 0 });
  expect(unsure.filter(isPrompt)).toHaveLength(2);
  expect(unsure.at(-1)).toBe('matched');
  expect(nearMisses({ bonaFide: 0.9, moire: 0.6, rim: 0 })).toContain('suspected');
});

test('a near miss is asked to one side in one try and to the other in a later one, and no more', () => {
  const told = play(Array.from({ length: 300 }, () => scoring(0.4))).map((each) => each.split(' ').at(-1) ?? '');
  const sides = told.filter(isPrompt);
  expect([...sides].sort()).toEqual(['turn-left', 'turn-right']);
  expect(told.slice(told.indexOf(sides[0] ?? ''), told.indexOf(sides[1] ?? ''))).toContain('missed');
  expect(told.filter((each) => each === 'missed').length).toBeGreaterThan(3);
});
