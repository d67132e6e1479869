import { expect, test } from 'vitest';
import type { FaultName } from '../../../src/catalogue/faults.ts';
import { causesFirst } from '../../../src/terminal/doctor/causes.ts';
import type { Diagnosis } from '../../../src/terminal/doctor/examination.ts';

const told = (...faults: FaultName[]): string[] =>
  causesFirst(
    faults.map((fault, index) => ({ check: `check-${index}`, state: 'fault', fault }) as unknown as Diagnosis),
  ).flatMap((each) => ('fault' in each ? [each.fault] : []));

test('what follows from a cause is no fault of its own, and the cause comes first', () => {
  expect(told('storage.unwritable', 'disk.nearly-full')).toEqual(['disk.nearly-full']);
});

test.each(['storage.damaged', 'storage.taken-away'] as const)('a full or shut disk does not explain %s', (fault) => {
  for (const cause of ['disk.nearly-full', 'disk.read-only', 'files.owner-wrong', 'disk.store-missing'] as const)
    expect(told(fault, cause)).toEqual(expect.arrayContaining([cause, fault]));
});
