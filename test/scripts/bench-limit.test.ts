import { expect, test } from 'vitest';
import { cut, type Visit } from '../../scripts/bench/limit/stages.ts';
import { timelineSvg } from '../../scripts/bench/limit/timeline-svg.ts';
import { figuresOf, quantile, stageFigures } from '../../scripts/bench/limit/visit-figures.ts';

const moments = (...story: readonly (readonly [what: string, atMs: number])[]) =>
  story.map(([what, atMs]) => ({ what, atMs }));

test('a visit is cut where a person’s part ends: what the patient takes to choose and to read is no machine’s time', () => {
  const story = moments(
    ['reading', 1_010],
    ['choose-method', 1_030],
    ['finger', 1_930],
    ['pin', 1_935],
    ['finger', 5_000],
    ['pin', 5_002],
    ['consent-bundle', 5_020],
    ['finger', 7_000],
    ['sending', 7_080],
    ['waiting-result', 7_110],
    ['accepted', 7_400],
  );
  expect(cut('pin', story, 1_000)).toEqual([
    { name: 'card', fromMs: 1_000, toMs: 1_030 },
    { name: 'pin', fromMs: 5_000, toMs: 5_020 },
    { name: 'receipt', fromMs: 7_000, toMs: 7_110 },
  ]);
  expect(cut('face', story, 1_000)[1]).toEqual({ name: 'face', fromMs: 1_930, toMs: 5_020 });
  expect(() => cut('pin', story.slice(0, -2), 1_000)).toThrow('the receipt');
});

const visit = (method: 'face' | 'pin', signatureMs: number, tookMs: number): Visit => ({
  method,
  signatureMs,
  stages: [
    { name: method, fromMs: 10, tookMs, deviceMs: 1, leastMs: 10 },
    { name: 'receipt', fromMs: 50, tookMs: 90, deviceMs: signatureMs, leastMs: 90 },
  ].map((stage) => ({ ...stage, name: stage.name as 'receipt' })),
});

test('figures are of whole visits; the quarter of a second from the PIN on is that of the chip it names', () => {
  const visits = [visit('pin', 60, 20), visit('pin', 60, 20), visit('face', 185, 110), visit('pin', 185, 70)];
  expect(figuresOf(visits)).toEqual({
    ratio: { p50: 1.1, p99: 2 },
    softwareMs: { p99: 100 },
    consentToReceiptMs: { p50: 90 },
    pinToReceiptMs: { p50: 110 },
  });
  expect(() => figuresOf([])).toThrow('nothing was measured');
  expect(quantile([3, 1, 2], 0.99)).toBe(3);
});

test('the timeline draws every stage beside its least', () => {
  const card = { name: 'card', fromMs: 0, tookMs: 30, deviceMs: 18, leastMs: 18 } as const;
  const whole = [visit('face', 60, 400), visit('pin', 60, 30)].map((each) => ({
    ...each,
    stages: [card, ...each.stages],
  }));
  const svg = timelineSvg(stageFigures(whole), 'load < 1');
  expect(svg.match(/class="took"/g)).toHaveLength(6);
  expect(svg).toContain('>400 / 10 ms<');
  expect(svg).toContain('load &lt; 1');
});
