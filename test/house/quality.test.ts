import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { figures, measure, qualityPage } from '../../scripts/quality/quality.ts';

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

test('the first figure that is ever measured is kept, with what its command ended with', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'uketsuke-quality-')), 'last-runs');
  const command = `echo begun; echo '{"score":90}'; exit 1`;
  expect(measure({ id: 'first', command }, folder)).toBe(1);
  expect(JSON.parse(readFileSync(join(folder, 'first.json'), 'utf8'))).toMatchObject({
    status: 1,
    printed: { score: 90 },
  });
});
