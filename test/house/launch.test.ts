import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

type Launch = {
  readonly name: string;
  readonly runtimeExecutable: string;
  readonly program: string;
  readonly args?: readonly string[];
};

const text = readFileSync('.vscode/launch.json', 'utf8');
const { configurations, inputs } = JSON.parse(text) as {
  readonly configurations: readonly Launch[];
  readonly inputs: readonly { readonly id: string }[];
};
const inTree = (path: string): string => path.replace('${' + 'workspaceFolder}/', '');

test('there is an entry for each process of the product', () => {
  const commands = configurations.flatMap(({ program, args }) => (program.endsWith('/src/main.ts') ? args?.[0] : []));
  expect(commands).toEqual(expect.arrayContaining(['run', 'link', 'face', 'agent']));
});

test('whatever an entry asks for is asked of the person', () => {
  const asked = [...text.matchAll(/\$\{input:(\w+)\}/g)].map(([, id]) => id);
  expect(new Set(asked)).toEqual(new Set(inputs.map(({ id }) => id)));
});

test.each(configurations)(
  '$name starts what is there, with options that it has',
  ({ program, runtimeExecutable, args = [] }) => {
    expect([program, runtimeExecutable].filter((path) => !existsSync(inTree(path)))).toEqual([]);
    if (!program.endsWith('/src/main.ts')) return;
    const help = spawnSync(process.execPath, [inTree(program), args[0] ?? '', '--help'], { encoding: 'utf8' }).stdout;
    expect(args.filter((arg) => arg.startsWith('--') && !help.includes(`${arg} `))).toEqual([]);
  },
);
