import { describe, expect, test } from 'vitest';
import { checkArrows, checkCycles, importsOf } from '../../scripts/house/lint-arrows.ts';
import { checkLength, checkMachinePaths, checkReadmePaths } from '../../scripts/house/lint-house.ts';

describe('an import that runs the wrong way is found, with its line', () => {
  test.each([
    ['core into terminal', 'src/core/a.ts', "import { x } from '../terminal/b.ts';"],
    ['core into Node', 'src/core/a.ts', "import { readFileSync } from 'node:fs';"],
    ['core into code of wire', 'src/core/a.ts', "import { stateSchema } from '../wire/messages.ts';"],
    ['core into a type of protocol', 'src/core/a.ts', "import type { X } from '../protocol/card/apdu.ts';"],
    ['protocol into a package', 'src/protocol/a.ts', "import { pino } from 'pino';"],
    ['protocol into ports', 'src/protocol/a.ts', "import type { X } from '../ports/clock.ts';"],
    ['ports into terminal', 'src/ports/a.ts', "import type { X } from '../terminal/b.ts';"],
    ['terminal into drivers', 'src/terminal/a.ts', "import { x } from '../../drivers/b.ts';"],
    ['terminal into drivers, dynamically', 'src/terminal/a.ts', "const x = await import('../../drivers/b.ts');"],
    ['terminal into a process', 'src/terminal/a.ts', "export { x } from '../processes/terminal.ts';"],
    ['agent into terminal', 'src/agent/a.ts', "import { x } from '../terminal/b.ts';"],
    ['terminal into agent', 'src/terminal/a.ts', "import { x } from '../agent/b.ts';"],
    ['wire into core', 'src/wire/a.ts', "import type { X } from '../core/b.ts';"],
    ['agent into drivers', 'src/agent/a.ts', "import '../../drivers/b.ts';"],
    ['face into terminal', 'src/face/a.ts', "import { x } from '../terminal/b.ts';"],
    ['screens into code of core', 'src/screens/a.tsx', "import { x } from '../core/b.ts';"],
    ['screens into ports', 'src/screens/a.tsx', "import type { X } from '../ports/b.ts';"],
    ['a driver into a composition root', 'drivers/a.ts', "import { x } from '../src/processes/terminal.ts';"],
    ['a driver into a virtual one', 'drivers/a.ts', "import { x } from './virtual/b.ts';"],
    [
      'the daemon, statically, into a virtual driver',
      'src/processes/terminal.ts',
      "import { x } from '../../drivers/virtual/b.ts';",
    ],
    ['src into test', 'src/terminal/a.ts', "import { x } from '../../test/b.ts';"],
    ['src into scripts', 'src/processes/terminal.ts', "import { x } from '../../scripts/b.ts';"],
    ['a script into a test', 'scripts/a.ts', "import { x } from '../test/b.ts';"],
    ['over several lines', 'src/core/a.ts', "\n\nimport {\n  x,\n} from '../terminal/b.ts';"],
  ])('%s', (_name, file, text) => {
    const line = text.split('\n').length;
    expect(checkArrows(file, text)).toMatchObject([{ file, line, rule: 'arrow' }]);
  });

  test.each([
    ['core into types of wire', 'src/core/a.ts', "import type { X } from '../wire/messages.ts';"],
    ['screens into types of core', 'src/screens/a.tsx', "import type { X } from '../core/screen/screen-model.ts';"],
    ['the daemon into a driver', 'src/processes/terminal.ts', "import { x } from '../../drivers/b.ts';"],
    ['the agent into a driver', 'src/processes/agent.ts', "import { x } from '../../drivers/b.ts';"],
    ['the face process into a driver', 'src/processes/face.ts', "import { x } from '../../drivers/b.ts';"],
    [
      'the daemon, on demand, into a virtual driver',
      'src/processes/terminal.ts',
      "await import('../../drivers/virtual/b.ts');",
    ],
    ['a test into anything', 'test/core/a.test.ts', "import { x } from '../../drivers/virtual/b.ts';"],
    ['a word in a comment', 'src/core/a.ts', '// we import nothing from "node:fs" here'],
  ])('but not %s', (_name, file, text) => {
    expect(checkArrows(file, text)).toEqual([]);
  });

  test('each way to write an import is seen', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "import { type C } from './c.ts';",
      "import './d.ts';",
      "export * from './e.ts';",
      "export type { F } from './f.ts';",
      "const g = import('./g.ts');",
      "type H = typeof import('./h.ts');",
    ].join('\n');
    expect(importsOf(text).map(({ specifier, how }) => `${specifier} ${how}`)).toEqual([
      './a.ts static',
      './b.ts type',
      './c.ts static',
      './d.ts static',
      './e.ts static',
      './f.ts type',
      './g.ts dynamic',
      './h.ts type',
    ]);
  });

  test('a circle is told once', () => {
    const sources = new Map([
      ['src/a.ts', "import './b.ts';"],
      ['src/b.ts', "import './c.ts';"],
      ['src/c.ts', "import type { A } from './a.ts';"],
      ['src/d.ts', "import './a.ts';"],
    ]);
    expect(checkCycles(sources)).toMatchObject([{ what: 'src/a.ts → src/b.ts → src/c.ts → src/a.ts' }]);
  });
});

describe('the other house rules', () => {
  test('a file of 401 lines is told, one of 400 is not', () => {
    expect(checkLength('src/a.ts', '\n'.repeat(400))).toEqual([]);
    expect(checkLength('src/a.ts', '\n'.repeat(401))).toMatchObject([{ rule: 'file-length' }]);
  });

  test("a path of one machine is told; a device's own path is not", () => {
    const home = ['', 'root', 'x'].join('/');
    expect(checkMachinePaths('a.md', `see\n${home}`)).toMatchObject([{ line: 2, rule: 'machine-path' }]);
    expect(checkMachinePaths('a.md', '/etc/uketsuke /dev/video0 src/root/x')).toEqual([]);
  });

  test('a path in "Where do I change" that does not exist is told', () => {
    const readme = '# A\n`no/x`\n## Where do I change what?\n| words | `src/a/`, `src/b.ts` |\n## Next\n`no/y`\n';
    expect(checkReadmePaths(readme, (path) => path === 'src/a/')).toMatchObject([{ line: 4, what: /src\/b\.ts/ }]);
    expect(checkReadmePaths('# A\n', () => true)).toMatchObject([{ rule: 'readme-paths' }]);
  });
});
