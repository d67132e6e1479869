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

  test('the guides of staff and technicians have pictures, which are there and in the package', () => {
    const packed = readFileSync('scripts/package/tree.ts', 'utf8');
    for (const guide of ['docs/staff-guide.md', 'docs/technician-guide.md']) {
      const shown = [...readFileSync(guide, 'utf8').matchAll(/<img src="((\w+)\/[\w.-]+)"/g)];
      expect(shown.length).toBeGreaterThan(0);
      for (const [, path = '', folder = ''] of shown) {
        expect(existsSync(`docs/${path}`), path).toBe(true);
        expect(packed).toContain(`'${folder}'`);
      }
    }
  });

  test('the staff guide names no failure code that does not exist', () => {
    const guide = readFileSync('docs/staff-guide.md', 'utf8');
    const named = [...guide.matchAll(/`([a-z]+\.[a-z-]+)`/g)].map(([, code]) => code ?? '');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((code) => !(code in failureRules))).toEqual([]);
  });

  test('the staff guide explains every light, and stays short', () => {
    const guide = readFileSync('docs/staff-guide.md', 'utf8');
    const lights =
      guide
        .split('## 表示灯')[1]
        ?.split('## ')[0]
        ?.match(/^\| .*\|$/gm) ?? [];
    expect(lights.length - 1).toBe(lightPatterns.length);
    expect(guide.split('\n').length).toBeLessThanOrEqual(75);
  });

  test("the light's protocol numbers the patterns as the driver sends them", () => {
    const protocol = readFileSync('docs/status-light-protocol.md', 'utf8');
    const patterns = protocol.slice(protocol.indexOf('| pattern | name'));
    const rows = [...patterns.matchAll(/^\| (\d) \| ([a-z-]+) \|/gm)].map(([, number, name]) => [Number(number), name]);
    expect(rows).toEqual(lightPatterns.map((name, number) => [number, name]));
  });
});

describe('the architecture', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');

  test('the walk from card to file goes over modules that are there, in the order of their rooms', () => {
    const walk = text.slice(text.indexOf('## The walk'), text.indexOf('## Rooms'));
    const steps = [...walk.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    const modules = [...walk.matchAll(/`([\w./-]+\.tsx?)`/g)].map(([, path]) => path ?? '');
    expect(modules.length).toBeGreaterThan(20);
    expect(modules.filter((path) => !existsSync(path))).toEqual([]);
    const rooms = ['drivers/card-reader/', 'src/terminal/card/', 'src/terminal/visit/', 'src/terminal/delivery/'];
    const further = ['src/wire/', 'src/agent/intake/', 'src/agent/journal/', 'src/agent/eligibility/'];
    const last = ['src/agent/oqs-folder/', 'src/agent/desk/', 'src/agent/staff-page/'];
    const order = [...rooms, ...further, ...last].map((room) => modules.findIndex((path) => path.startsWith(room)));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('every room of src stands in its table, and no other', () => {
    const table = text.slice(text.indexOf('## Rooms'), text.indexOf('## Processes'));
    const told = [...table.matchAll(/`src\/([a-z-]+)`/g)].map(([, room]) => room ?? '');
    const rooms = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(told.sort()).toEqual(rooms.map(({ name }) => name).sort());
  });
});

test('each decision has its own number, a date and what has become of it', () => {
  const files = readdirSync('docs/decisions').sort();
  expect(files.length).toBeGreaterThan(30);
  for (const file of files) {
    const [, number] = /^(\d{4})-[a-z0-9-]+\.md$/.exec(file) ?? [];
    const [title, , status] = readFileSync(join('docs/decisions', file), 'utf8').split('\n');
    expect([file, title]).toEqual([file, expect.stringMatching(`^# ${Number(number)}\\. .`)]);
    expect([file, status]).toEqual([
      file,
      expect.stringMatching(/^20\d\d-\d\d-\d\d · (in force|given up, see \d{4}|provisional)$/),
    ]);
  }
  const numbers = files.map((file) => file.slice(0, 4));
  expect(new Set(numbers).size).toBe(numbers.length);
});

describe('README: where do I change X', () => {
  const readme = readFileSync('README.md', 'utf8');
  const table = readme.slice(readme.indexOf('## Where do I change X')).split('\n## ')[0] ?? readme;
  const rows = [...table.matchAll(/^\| (?!I want|---)([^|]+) \| ([^|]+) \|$/gm)].map(([, what = '', where = '']) => [
    what,
    where,
  ]);

  test.each(rows)('%s', (_what, where) => {
    const paths = [...(where ?? '').matchAll(/`([\w./-]+\/[\w./-]*)`/g)].map(([, path]) => path ?? '');
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});
