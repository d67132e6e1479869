import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const policy = readFileSync('docs/SECURITY.md', 'utf8');
const released = new Date(
  `${(JSON.parse(readFileSync('package.json', 'utf8')) as { released: string }).released}T00:00:00Z`,
);

/** The day on which a release stops to be looked after, by the policy's own months. */
const supportedMonths = Number(/at least (\d+) months from its day/.exec(policy)?.[1]);

test('the policy says where, and within what time, a report is answered and mended', () => {
  expect(policy).toMatch(/private vulnerability report/);
  const rows = [...policy.matchAll(/^\| (critical|high|other)[^|]*\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];
  expect(rows.map(([, grade]) => grade)).toEqual(['critical', 'high', 'other']);
  // Each step of a graver one is no later than that of a lesser one.
  const days = rows.map((row) => row.slice(2, 5).map((cell) => Number(/(\d+) days?/.exec(cell)?.[1])));
  for (const step of [0, 1, 2]) {
    const of = days.map((each) => each[step] ?? Number.NaN);
    expect(of.every((day) => day > 0)).toBe(true);
    expect(of).toEqual(of.toSorted((a, b) => a - b));
  }
});

test('a fix for a weakness that is used goes out within two weeks', () => {
  expect(policy).toMatch(/A fix for\s+a weakness that is used goes out within 14 days/);
});

test('what was mended is told once there is an update: in the changelog, free, with what to do', () => {
  expect(policy).toMatch(/CHANGELOG\.md/);
  expect(policy).toMatch(/free of charge/);
  expect(readdirSync('docs')).toContain('CHANGELOG.md');
});

test('the policy says until when a release is looked after', () => {
  expect(supportedMonths).toBeGreaterThanOrEqual(12);
  expect(released.getTime()).toBeGreaterThan(Date.UTC(2026, 0));
});

test('nothing that a buyer reads claims conformance of attack detection', () => {
  const texts = [
    'README.md',
    ...readdirSync('docs')
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  for (const file of texts)
    for (const line of readFileSync(file, 'utf8')
      .split('\n')
      .filter((each) => each.includes('30107')))
      expect(line, `${file}: ${line}`).toMatch(
        /no claim|not claimed|claims? no|No conformance|is claimed anywhere|\(ISO\/IEC 30107-1 terms\)/i,
      );
});
