import { expect, test } from 'vitest';
import { type Evidence, judge } from '../../scripts/trials/misfortunes-judge.ts';

const row = (id: string, session: string, more: object = {}) => ({
  ...{ id, session, verdict: 'accepted', outcome: 'eligible', file: `${id}.xml`, lateAt: null, ...more },
});
const well: Evidence = {
  rows: [row('r1', 's1'), row('r2', 's2')],
  others: [],
  accepted: new Map([
    ['s1', 'taro'],
    ['s2', 'hanako'],
  ]),
  receipts: ['r1', 'r2'],
  kept: ['r1', 'r2'],
  xmlOf: ({ id }) => (id === 'r1' ? '<N>1000002</N>' : '<N>1000001</N>'),
  numberOf: (persona) => (persona === 'taro' ? '1000002' : '1000001'),
  files: 2,
  uses: 2,
};

test.each<[string, Partial<Evidence>, object]>([
  ['all is well', {}, { lost: 0, twice: 0, falseAccepted: 0 }],
  ['a screen for a visit that the agent never saw', { accepted: new Map([['s9', 'taro']]) }, { falseAccepted: 1 }],
  [
    'a screen for a visit that the agent refused',
    { rows: [row('r1', 's1', { verdict: 'refused' }), row('r2', 's2')], receipts: [], files: 1, uses: 1 },
    { falseAccepted: 1 },
  ],
  ["a screen beside somebody else's card", { accepted: new Map([['s1', 'hanako']]) }, { falseAccepted: 1 }],
  ['a receipt for a request that the agent does not hold', { receipts: ['r1', 'r2', 'r7'] }, { falseAccepted: 1 }],
  ['a request that was kept and never came', { kept: ['r1', 'r2', 'r7'] }, { lost: 1 }],
  [
    "the terminal's own test, kept, received, and no visit",
    { kept: ['r1', 'r2', 't1'], receipts: ['r1', 'r2', 't1'], others: [{ id: 't1', verdict: 'accepted' }] },
    { lost: 0, twice: 0, falseAccepted: 0 },
  ],
  ['a visit without its file', { rows: [row('r1', 's1', { file: null }), row('r2', 's2')] }, { lost: 1 }],
  ['a second row of a visit', { rows: [row('r1', 's1'), row('r2', 's2'), row('r3', 's2')] }, { twice: 1 }],
  ['a visit counted twice', { uses: 3 }, { twice: 1 }],
])('the judge of misfortunes: %s', (_what, more, verdict) => {
  expect(judge({ ...well, ...more })).toMatchObject(verdict);
});
