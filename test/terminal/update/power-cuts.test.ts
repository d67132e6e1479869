import { describe, expect, it } from 'vitest';
import type { Behaviour, Release, SimulatedBundle } from '../../../scripts/beds/simulated-board.ts';
import type { Hand } from '../../../scripts/beds/simulated-disk.ts';
import { type Cut, compatible, SimulatedWorld, type Story } from '../../../scripts/beds/simulated-updates.ts';

const first: Release = { name: 'first', version: '0.2.0', form: 3, behaves: 'good' };
const offered = (behaves: Behaviour, changes: Partial<SimulatedBundle> = {}): SimulatedBundle => {
  const release: Release = { name: 'next', version: '0.3.0', form: 4, behaves };
  const signed = { compatible, signature: 'trusted', payloadTampered: false } as const;
  return { id: 'next', version: release.version, ...signed, release, ...changes };
};
const night = (bundle: SimulatedBundle): Story => ({
  first,
  offers: [{ atMs: 0, bundle }],
  startsAtMs: Date.parse('2026-11-18T20:55:00+09:00'),
  lineDown: null,
  visitsAtMs: [60_000, 7 * 60_000],
  agentVersionFromMs: [{ atMs: 0, version: '0.3.0' }],
  waveFromMs: 0,
});

/** The story once for each of its writes, with the power gone there. */
const everyCut = async (bundle: SimulatedBundle, hand: Hand = 'in-place') => {
  const undisturbed = new SimulatedWorld(night(bundle), [], hand);
  const ends = [(await undisturbed.run()).endsWith];
  const sum = { cuts: 0, unbootable: 0, mixed: 0, badBundlesAccepted: 0, rowsLost: 0, tooManyTries: 0 };
  for (let op = 1; op <= undisturbed.disk.ops; op += 1)
    for (const falls of ['before', 'into', 'after'] satisfies Cut['falls'][]) {
      const world = new SimulatedWorld(night(bundle), [{ op, falls }], hand);
      const found = await world.run();
      ends.push(found.endsWith);
      sum.cuts += world.disk.cutsThatFell;
      for (const key of ['unbootable', 'mixed', 'badBundlesAccepted', 'rowsLost', 'tooManyTries'] as const)
        sum[key] += found[key];
    }
  return { ...sum, ends: [...new Set(ends)] };
};
const clean = { unbootable: 0, mixed: 0, badBundlesAccepted: 0, rowsLost: 0, tooManyTries: 0 };

describe('an update whose power goes at any write', () => {
  it('that is good ends with the new release', async () => {
    const found = await everyCut(offered('good'));
    expect(found).toMatchObject({ ...clean, ends: ['0.3.0'] });
    expect(found.cuts).toBeGreaterThan(60);
  });

  it.each(['panics', 'hangs', 'mute', 'unwell'] as const)('that %s ends with the old release', async (behaves) => {
    expect(await everyCut(offered(behaves))).toMatchObject({ ...clean, ends: ['0.2.0'] });
  });

  it.each([
    { signature: 'foreign' },
    { signature: 'broken' },
    { payloadTampered: true },
    { version: '0.1.0' },
    { compatible: 'other' },
  ] as const)('with %o never runs', async (changes) => {
    expect(await everyCut(offered('good', changes))).toMatchObject({ ...clean, ends: ['0.2.0'] });
  });

  it.each(['truncating', 'renaming'] as const)('is found out when autoboot.txt is written by %s', async (hand) => {
    expect((await everyCut(offered('good'), hand)).unbootable).toBeGreaterThan(0);
  });
});
