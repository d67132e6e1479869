/** Hints that are guessed from the look of a face: told, not compared, told on and ended. */
import { expect, test } from 'vitest';

import type { AttemptFinding } from '../../../src/face/attempt/face-attempt.ts';
import {
  coveredScoring,
  hinting,
  isPrompt,
  late,
  obeying,
  play,
  playLiveness,
  type Seen,
  scoring,
  signals,
  stranger,
  withLiveness,
} from './course-player.ts';

test('a hint that was told just before comes back later than another one would', () => {
  const inTurn = Array.from({ length: 60 }, (_, i) => hinting(i % 12 < 6 ? 'mask-off' : 'look-here'));
  const told = play(inTurn);
  const atMs = told.map((each) => Number(each.split(' ')[0]) * 100);
  expect(told.slice(0, 2)).toEqual(['0 hint mask-off', '7 hint look-here']);
  for (const [i, at] of atMs.entries()) if (i > 1) expect(at - (atMs[i - 1] ?? 0)).toBeGreaterThanOrEqual(1_500);
});

test('one frame that asks for something else replaces nothing that is told, however long it has been told', () => {
  const slips = Array.from({ length: 40 }, (_, i) => hinting(i % 10 === 9 ? 'one-person-only' : 'nearer'));
  expect(play(slips)).toEqual(['0 hint nearer']);
  const well = Array.from({ length: 7 }, (_, i) => (i === 4 ? hinting('one-person-only') : scoring(0.3)));
  expect(play(well)).toEqual(['0 hint null']);
});

test('a guess of some frames and not of others is told once, until none has been so for 0.7 s', () => {
  const flicker = (frames: number) =>
    Array.from({ length: frames }, (_, i) => (i % 4 < 2 ? coveredScoring(0.3) : scoring(0.3)));
  expect(play(flicker(14))).toEqual(['0 hint mask-off']);
  const gone = Array.from({ length: 8 }, () => scoring(0.3));
  expect(play([...flicker(6), ...gone])).toEqual(['0 hint mask-off', '12 hint null']);
});

test('who is recognised is told on of nothing that was guessed before', () => {
  const seen = [
    ...Array.from({ length: 5 }, () => seeming('look-here', 0.3)),
    ...Array.from({ length: 3 }, () => scoring(0.8)),
  ];
  const liveness = { bonaFide: 0.9, moire: 0, rim: 0 };
  const told = playLiveness('passive', (i) => ({ ...(seen[i] ?? scoring(0.8)), liveness }) as Seen, 8);
  expect(told.slice(0, 2)).toEqual(['look-here', 'null']);
});

test('a guess that comes and goes is told twice at most in an attempt', () => {
  const coming = Array.from({ length: 100 }, (_, i) => (i % 12 < 2 ? coveredScoring(0.3) : scoring(0.3)));
  const told = play(coming).filter((step) => step.endsWith('mask-off'));
  expect(told).toEqual(['0 hint mask-off', '13 hint mask-off']);
});

test('a face that seems covered is told so and not compared for four seconds; then it is as any other', () => {
  expect(play(Array.from({ length: 60 }, () => coveredScoring(0.6)))).toEqual([
    '0 hint mask-off',
    '40 hint null',
    '41 matched',
  ]);
});

const seeming = (
  hint: 'look-here' | 'uncover-face' | 'glasses-glare' | 'sunglasses-off',
  score: number,
): AttemptFinding => ({ ...scoring(score), hint }) as AttemptFinding;

test.each(['look-here', 'uncover-face', 'glasses-glare'] as const)(
  'who is recognised for 0.6 s in spite of %s is told so no longer, and compared as everybody',
  (guess) => {
    const frames = Array.from({ length: 20 }, () => seeming(guess, 0.8));
    expect(play(frames).slice(0, 3)).toEqual([`0 hint ${guess}`, '7 hint null', '8 matched']);
    for (const { embedding } of frames.slice(0, 7)) expect(embedding).toEqual(Float32Array.of(0, 0));
  },
);

test('who is not recognised is told for four seconds; dark glasses come off, but where they cannot be there', () => {
  expect(play(Array.from({ length: 45 }, () => seeming('look-here', 0.4)))).toEqual([
    '0 hint look-here',
    '40 hint null',
  ]);
  expect(play(Array.from({ length: 30 }, () => seeming('sunglasses-off', 0.6)))).toEqual(['0 hint sunglasses-off']);
  const bare = Array.from({ length: 20 }, () => seeming('sunglasses-off', 0.7));
  expect(play(bare).slice(0, 3)).toEqual(['0 hint sunglasses-off', '7 hint null', '8 matched']);
});

test('nobody is told for ever: frames of a guess lead to a miss as others do, each try from the beginning', () => {
  const told = play(Array.from({ length: 160 }, () => coveredScoring(0.3)));
  expect(told.slice(0, 3)).toEqual(['0 hint mask-off', '40 hint null', '55 missed']);
  // What nobody could do anything about is not told a second time, and not compared at first either.
  expect(told.slice(3)).toEqual(['111 missed']);
});

test('frames that are not compared neither spoil nor help, and are overwritten at once', () => {
  const poor = Array.from({ length: 10 }, () => coveredScoring(0.2));
  expect(play([...poor, scoring(0.6), scoring(0.6)])).toEqual(['0 hint mask-off', '11 matched']);
  const good = Array.from({ length: 10 }, () => coveredScoring(0.6));
  expect(play([...good, scoring(0.3), scoring(0.3)])).toEqual(['0 hint mask-off']);
  for (const { embedding } of [...poor, ...good]) expect(embedding).toEqual(Float32Array.of(0, 0));
});

test.each(['mask-off', 'look-here'] as const)(
  'passive: whose every frame is guessed to be %s gets through the prompt as everybody does',
  (guess) => {
    const hear = late();
    const told = playLiveness(
      'passive',
      (i, hint) => {
        const seen = obeying(i, hear(hint));
        // Turned far a face is unlike itself.
        const isFar = Math.abs(seen.signals?.noseOffset ?? 0) > 0.1;
        const embedding = isFar && guess === 'look-here' ? stranger() : seen.embedding;
        return { ...seen, hint: seen.hint ?? guess, embedding, liveness: { bonaFide: 0.1, moire: 0, rim: 0 } } as Seen;
      },
      200,
    );
    expect(told.filter(isPrompt).length).toBeGreaterThan(0);
    expect(told.slice(0, told.indexOf('matched') + 1)).toContain('matched');
    expect(told.slice(0, told.indexOf('matched'))).not.toContain('suspected');
  },
);

test('who seems turned away while they come to rest and is recognised is asked to turn within three seconds, not after four', () => {
  const told = playLiveness(
    'passive',
    (i) => ({ ...withLiveness({ bonaFide: 0.1 }), ...(i < 4 ? {} : { hint: 'look-here' }) }) as Seen,
    30,
  );
  expect(told.some(isPrompt)).toBe(true);
  // They stood well and were recognised so before: what is seen through is not told first.
  expect(told).not.toContain('look-here');
});

test('who comes to rest, seems turned away and is not recognised so is told', () => {
  const turned = (i: number): Seen =>
    ({
      ...withLiveness({ bonaFide: 0.1 }, i < 4 ? undefined : Float32Array.of(0.4, Math.sqrt(0.84))),
      ...(i < 4 ? {} : { hint: 'look-here' }),
    }) as Seen;
  expect(playLiveness('passive', turned, 10)).toContain('look-here');
});

test('who is recognised with the nose over a cheek looks here before they are asked to turn, and gets through', () => {
  const hear = late();
  const told = playLiveness(
    'passive',
    (i, hint) => {
      const seen = obeying(i, hear(hint));
      const doubtful = { ...seen, liveness: { bonaFide: 0.1, moire: 0, rim: 0 } };
      if (i >= 20) return doubtful as Seen;
      return { ...doubtful, hint: 'look-here', signals: { ...signals, noseOffset: 0.5, noseInPlane: 1 } } as Seen;
    },
    120,
  );
  const asked = told.findIndex(isPrompt);
  expect(told.slice(0, asked)).toEqual(['look-here', 'null', 'look-here', 'hold-still']);
  expect(told.slice(asked)).toContain('matched');
  expect(told.slice(0, told.indexOf('matched'))).not.toContain('unsure');
});

test('passive: who always seems turned and does not answer ends unsure, not suspected', () => {
  const told = playLiveness('passive', () => ({ ...withLiveness({ bonaFide: 0.1 }), hint: 'look-here' }) as Seen, 300);
  const end = told.indexOf('unsure');
  expect(end).toBeGreaterThan(0);
  expect(told.slice(0, end)).not.toContain('matched');
  expect(told.slice(0, end)).not.toContain('suspected');
});

test('what is seen while a prompt is answered is overwritten, compared or not', () => {
  const hear = late();
  const seenAll: Float32Array[] = [];
  playLiveness(
    'active',
    (i, hint) => {
      const seen = obeying(i, hear(hint));
      const isFar = Math.abs(seen.signals?.noseOffset ?? 0) > 0.1;
      const finding = { ...seen, hint: isFar ? 'look-here' : i % 3 === 0 ? 'mask-off' : null } as Seen;
      if (finding.embedding !== undefined) seenAll.push(finding.embedding);
      return finding;
    },
    120,
  );
  const kept = seenAll.filter((embedding) => embedding.some((value) => value !== 0));
  // Four views of three frames are held until the end; the test does not wipe.
  expect(seenAll.length).toBeGreaterThan(80);
  expect(kept.length).toBeLessThanOrEqual(12);
});

/** Turned far, a picture is taken for something else than the face that was told to turn. */
const farAs = (hint: NonNullable<Seen['hint']>, seen: Seen): Seen =>
  Math.abs(seen.signals?.noseOffset ?? 0) > 0.1 ? ({ ...seen, hint, embedding: stranger() } as Seen) : seen;

test('while a prompt is answered nobody is told to uncover a face that was free just before', () => {
  const hear = late();
  const told = playLiveness('active', (i, hint) => farAs('mask-off', obeying(i, hear(hint))), 200);
  expect(told).toContain('matched');
  expect(told).not.toContain('mask-off');
});

test('active: a head that turns far as it was asked to is not taken for another face', () => {
  const hear = late();
  const told = playLiveness('active', (i, hint) => farAs('look-here', obeying(i, hear(hint))), 200);
  expect(told.slice(0, told.indexOf('matched') + 1)).not.toContain('missed');
  expect(told).toContain('matched');
});

test.each(['uncover-face', 'mask-off', 'look-here'] as const)(
  'active: whose face is guessed to be %s from the first prompt on is recognised again all the same',
  (guess) => {
    const hear = late();
    let before: string | null = null;
    const askedAt: number[] = [];
    const told = playLiveness(
      'active',
      (i, hint) => {
        if (hint !== null && isPrompt(hint) && hint !== before) askedAt.push(i);
        before = hint;
        const seen = obeying(i, hear(hint));
        return askedAt.length > 0 ? ({ ...seen, hint: guess } as Seen) : seen;
      },
      150,
    );
    const untilMatched = told.slice(0, told.indexOf('matched') + 1);
    expect(untilMatched.filter(isPrompt)).toHaveLength(3);
    expect(untilMatched).not.toContain('missed');
    if (guess !== 'look-here') expect(untilMatched).not.toContain(guess);
    // Answered, back at rest, and asked again: in less time than a guess is believed for.
    expect((askedAt[1] ?? 0) - (askedAt[0] ?? 0)).toBeLessThan(30);
  },
);

test('who has turned the head as asked is told to look into the camera again, not to stay like that', () => {
  const hear = late();
  const told = playLiveness('passive', (i, hint) => {
    const seen = obeying(i, hear(hint));
    return { ...seen, liveness: { bonaFide: 0.1, moire: 0, rim: 0 } } as Seen;
  });
  const asked = told.findIndex(isPrompt);
  expect(told.slice(asked + 1, asked + 2)).toEqual(['look-here']);
  expect(told).toContain('matched');
});
