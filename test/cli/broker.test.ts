import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';

let bed: TestFacility;
beforeAll(async () => {
  bed = await makeTestFacility();
});
afterAll(() => bed.remove());

const broker = (...words: readonly string[]) => {
  const program = new URL('../../src/main.ts', import.meta.url).pathname;
  const out = join(bed.directory, 'out');
  const given = ['broker', '--facility-dir', bed.directory, '--out', out, ...words];
  return {
    out,
    ...spawnSync(process.execPath, [program, ...given], { encoding: 'utf8', env: { ...process.env, LANG: 'C' } }),
  };
};
const nodes = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => ['--node', `rabbit@node-${index + 1}`]).flat();

test("the files of RabbitMQ's nodes lie where it says, and name each", () => {
  const { stdout, status, out } = broker('--kind', 'rabbitmq', ...nodes(3));
  expect([status, stdout]).toEqual([0, `${join(out, 'rabbitmq.conf')}\n`]);
  expect(readFileSync(join(out, 'rabbitmq.conf'), 'utf8')).toContain('classic_config.nodes.3 = rabbit@node-3');
});

test.each([0, 2])('%i nodes are none of which a part could know that it is the smaller', (count) => {
  const { stderr, status } = broker('--kind', 'rabbitmq', ...nodes(count));
  expect(status).toBe(2);
  expect(stderr).toContain('--node: one, or three and more');
});
