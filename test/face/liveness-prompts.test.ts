import { expect, test } from 'vitest';
import { LivenessPrompts, type Prompt } from '../../src/face/liveness-prompts.ts';

const resting = { noseOffset: 0, eyeOpening: 0.3 };

/** Plays a head that answers as `answer` says; returns the prompts asked and how it ended. */
const play = (seed: number, answer: (prompt: Prompt | null, forMs: number) => Partial<typeof resting>) => {
  let state = seed;
  const random = (): number => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  const prompts = new LivenessPrompts(random);
  const asked: (Prompt | null)[] = [];
  const times: number[] = [];
  let sinceMs = 0;
  for (let atMs = 0; atMs < 20_000; atMs += 50) {
    const outcome = prompts.take({ ...resting, ...answer(asked.at(-1) ?? null, atMs - sinceMs) }, atMs);
    if (outcome.type !== 'waiting') return { asked: asked.filter((each) => each !== null), times, end: outcome.type };
    if (asked.length > 0 && asked.at(-1) === outcome.prompt) continue;
    asked.push(outcome.prompt);
    sinceMs = atMs;
    if (outcome.prompt !== null) times.push(atMs);
  }
  return { asked, times, end: 'endless' };
};

const obedient = (prompt: Prompt | null, forMs: number): Partial<typeof resting> => {
  if (prompt === 'turn-left') return { noseOffset: 0.2 };
  if (prompt === 'turn-right') return { noseOffset: -0.2 };
  return prompt === 'blink' && forMs > 100 && forMs < 300 ? { eyeOpening: 0.1 } : {};
};

const seeds = Array.from({ length: 40 }, (_, i) => (i + 1) * 7919);

test('who does as asked passes after two different prompts', () => {
  for (const seed of seeds) {
    const { asked, end } = play(seed, obedient);
    expect(end).toBe('passed');
    expect(new Set(asked).size).toBe(2);
  }
});

test('order and times differ from attempt to attempt', () => {
  const runs = seeds.map((seed) => play(seed, obedient));
  expect(new Set(runs.map(({ asked }) => asked.join())).size).toBe(6);
  expect(new Set(runs.map(({ times }) => times[0])).size).toBeGreaterThan(8);
});

test.each<[string, (prompt: Prompt | null) => Partial<typeof resting>]>([
  ['a still picture', () => ({})],
  ['eyes that are never opened again', (prompt) => (prompt === 'blink' ? { eyeOpening: 0.05 } : {})],
  [
    'who turns the wrong way',
    (prompt) => (prompt === 'turn-left' ? { noseOffset: -0.2 } : prompt === 'turn-right' ? { noseOffset: 0.2 } : {}),
  ],
  [
    'a picture turned a little',
    (prompt) => (prompt === null ? {} : { noseOffset: prompt === 'turn-left' ? 0.09 : -0.09 }),
  ],
])('%s fails', (_, answer) => {
  for (const seed of seeds) expect(play(seed, answer).end).toBe('failed');
});
