import { expect, test } from 'vitest';
import { playExamples } from '../../scripts/kit/examples.ts';

test('every example prints what it says, from the folder of a stranger', async () => {
  const played = await playExamples();
  expect(played.length).toBeGreaterThanOrEqual(8);
  expect(played.filter(({ passed }) => !passed)).toEqual([]);
});
