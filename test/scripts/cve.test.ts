import { expect, test } from 'vitest';
import { type Advisory, affectedReleases, compareVersions } from '../../scripts/cve/affected-releases.ts';

const releases = [
  { name: 'v1', components: [{ name: 'ws', version: '8.17.0' }] },
  {
    name: 'v2',
    components: [
      { name: 'ws', version: '8.17.1' },
      { name: '@scope/ws', version: '1.0.0' },
    ],
  },
  { name: 'v3', components: [{ name: 'ws', version: '9.0.0-rc.2' }] },
];
const advisory = (affected: Partial<Advisory['affected'][number]>, ecosystem = 'npm'): Advisory => ({
  id: 'CVE-1',
  affected: [{ package: { ecosystem, name: 'ws' }, ...affected }],
});
const named = (affected: Parameters<typeof advisory>[0], ecosystem?: string) =>
  affectedReleases(advisory(affected, ecosystem), releases).map(({ release }) => release);
const range = (...events: NonNullable<Advisory['affected'][number]['ranges']>[number]['events'][number][]) => ({
  ranges: [{ type: 'SEMVER', events }],
});

test('names the releases that have an affected version, and no other', () => {
  expect(named(range({ introduced: '8.0.0' }, { fixed: '8.17.1' }))).toEqual(['v1']);
  expect(named(range({ introduced: '0' }, { last_affected: '8.17.1' }))).toEqual(['v1', 'v2']);
  expect(named(range({ introduced: '8.17.1' }))).toEqual(['v2', 'v3']);
  expect(named(range({ introduced: '8.0.0' }, { fixed: '8.17.0' }, { introduced: '9.0.0-rc.1' }))).toEqual(['v3']);
  expect(named({ versions: ['8.17.1'] })).toEqual(['v2']);
  expect(named(range({ introduced: '0' }), 'PyPI')).toEqual([]);
});

test('versions are compared by number, and a suffix comes before none', () => {
  expect(['1.10.0', '1.9.0', '1.10.0-rc.10', '1.10.0-rc.9'].toSorted(compareVersions)).toEqual([
    '1.9.0',
    '1.10.0-rc.9',
    '1.10.0-rc.10',
    '1.10.0',
  ]);
  expect(compareVersions('2.0.0', '2.0.0+build')).toBe(0);
});
