import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failureRules } from '../../src/core/failure.ts';
import { lightPatterns } from '../../src/core/visit/light-of.ts';

const documents = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));

describe('the documents', () => {
  test.each([...documents, 'test/README.md', 'systemd/README.md'])('%s: every link leads somewhere', (file) => {
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link]) => link);
    expect(links.filter((link) => !existsSync(join(dirname(file), link ?? '')))).toEqual([]);
  });

  test.each([...documents, 'README.md', 'test/README.md', 'systemd/README.md'])(
    '%s: every file it names exists',
    (file) => {
      const named = [
        ...readFileSync(file, 'utf8').matchAll(/`((?:src|drivers|test|scripts|systemd|docs|models)\/[\w./-]+)`/g),
      ].map(([, path]) => path ?? '');
      // Models and the built page are made on the machine.
      expect(named.filter((path) => !path.endsWith('.onnx') && !existsSync(path))).toEqual([]);
    },
  );

  test('the staff guide names no failure code that does not exist', () => {
    const guide = readFileSync('docs/staff-guide.md', 'utf8');
    const named = [...guide.matchAll(/`([a-z]+\.[a-z-]+)`/g)].map(([, code]) => code ?? '');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((code) => !(code in failureRules))).toEqual([]);
  });

  test('the staff guide explains every light, and fits on a page', () => {
    const guide = readFileSync('docs/staff-guide.md', 'utf8');
    const lights =
      guide
        .split('## 表示灯')[1]
        ?.split('## ')[0]
        ?.match(/^\| .*\|$/gm) ?? [];
    expect(lights.length - 1).toBe(lightPatterns.length);
    expect(guide.split('\n').length).toBeLessThanOrEqual(60);
  });

  test("the light's protocol numbers the patterns as the driver sends them", () => {
    const protocol = readFileSync('docs/status-light-protocol.md', 'utf8');
    const patterns = protocol.slice(protocol.indexOf('| pattern | name'));
    const rows = [...patterns.matchAll(/^\| (\d) \| ([a-z-]+) \|/gm)].map(([, number, name]) => [Number(number), name]);
    expect(rows).toEqual(lightPatterns.map((name, number) => [number, name]));
  });
});
