import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { figures, qualityPage } from '../../scripts/quality/quality.ts';

test('docs/quality.md is what the commands printed last (npm run quality)', () => {
  expect(readFileSync('docs/quality.md', 'utf8')).toBe(qualityPage());
});

test.each(figures.map((figure) => [figure.id, figure] as const))(
  '%s is a command of package.json, says what it does not show, and is kept by hand nowhere',
  (id, { command, notShown, how, aim }) => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    expect(scripts[id]).toBeDefined();
    expect(command.startsWith(`npm run ${id} -- `)).toBe(true);
    for (const text of [notShown, how, aim]) expect(text.length).toBeGreaterThan(5);
    expect(readFileSync('docs/figures.md', 'utf8')).not.toMatch(new RegExp(`npm run ${id}( --|\`)`));
  },
);
