import { expect, test } from 'vitest';
import { type Durability, GroupCommit } from '../../../src/agent/journal/group-commit.ts';

const gathered = (commit: () => void = () => {}) => {
  const transactions: { durability: Durability; done: string[] }[] = [];
  const group = new GroupCommit((durability, work) => {
    const before = done.length;
    work();
    commit();
    transactions.push({ durability, done: done.slice(before) });
  });
  const done: string[] = [];
  return { group, transactions, done };
};

test('what waits at the same time is one transaction, as durable as the strictest of it wants', async () => {
  const { group, transactions, done } = gathered();
  const three = [
    group.add('soon', () => done.push('a')),
    group.add('forgotten', () => done.push('b')),
    group.add('now', () => done.push('b, too')),
  ];
  expect(done).toEqual([]);
  await Promise.all(three);
  await group.add('now', () => done.push('c'));
  expect(transactions).toEqual([
    { durability: 'forgotten', done: ['a', 'b', 'b, too'] },
    { durability: 'now', done: ['c'] },
  ]);
});

test('many are several transactions: nobody else waits for all of them', async () => {
  const { group, transactions, done } = gathered();
  await Promise.all(Array.from({ length: 70 }, (_, number) => group.add('now', () => done.push(String(number)))));
  expect(transactions.map(({ done: each }) => each.length)).toEqual([32, 32, 6]);
});

test('a commit that fails: nobody is told that it is done, and nothing is carried out twice', async () => {
  const { group, done } = gathered(() => {
    throw new Error('database or disk is full');
  });
  const two = [group.add('now', () => done.push('a')), group.add('now', () => done.push('b'))];
  const settled = await Promise.allSettled(two);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(done).toEqual(['a', 'b']);
});

test('a statement that the database refuses when it commits takes along whose it is alone', async () => {
  let refused = 0;
  const { group, done } = gathered(() => {
    if (!done.includes('bad')) return;
    done.length = 0;
    refused += 1;
    throw Object.assign(new Error('invalid byte sequence'), { code: '22021' });
  });
  const [good, bad] = [group.add('now', () => done.push('good')), group.add('now', () => done.push('bad'))];
  await expect(bad).rejects.toThrow('invalid byte sequence');
  await good;
  expect(refused).toBe(2);
});

test('a database that is away or held by another agent is not waited for once more for each of them', async () => {
  const { group } = gathered();
  let asked = 0;
  const away = () => {
    asked += 1;
    throw Object.assign(new Error('lock timeout'), { code: 'EDATABASE' });
  };
  const all = Array.from({ length: 70 }, () => group.add('now', away));
  const settled = Promise.allSettled(all);
  // Between two transactions the loop turns: the first has ended, and the next has not begun.
  await expect(all[0]).rejects.toThrow('lock timeout');
  expect(asked).toBe(1);
  for (const { status } of await settled) expect(status).toBe('rejected');
  expect(asked).toBe(3);
});

test.each<[unknown, number]>([
  ...['22021', '23505', '42P01'].map((code): [object, number] => [{ code }, 3]),
  ...['40001', 'X22021', '220210', '2202', 22].map((code): [object, number] => [{ code }, 1]),
  [null, 1],
])(
  'a commit that ends with %o is tried %d times: alone only where the database says that it was undone',
  async (thrown, times) => {
    let asked = 0;
    const { group } = gathered(() => {
      asked += 1;
      throw thrown;
    });
    const settled = await Promise.allSettled([group.add('now', () => 'a'), group.add('now', () => 'b')]);
    expect(settled).toEqual([1, 2].map(() => ({ status: 'rejected', reason: thrown })));
    expect(asked).toBe(times);
  },
);

test('a work that throws nothing at all takes nobody along', async () => {
  const { group } = gathered();
  const bad = group.add('now', () => {
    throw null;
  });
  const good = group.add('now', () => 'good');
  await expect(bad).rejects.toBeNull();
  expect(await good).toBe('good');
});

test('one transaction a turn of the event loop, however many have asked', async () => {
  const { group, transactions } = gathered();
  const all = Array.from({ length: 70 }, () => group.add('now', () => 0));
  const seen: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(transactions.length);
  }
  await Promise.all(all);
  expect(seen).toEqual([1, 2, 3]);
});

test('works that are asked for as others end are no second transaction of their turn', async () => {
  const { group, transactions } = gathered();
  await group.add('now', () => 0);
  const all = Array.from({ length: 64 }, () => group.add('now', () => 0));
  const seen: number[] = [];
  for (let turn = 0; turn < 2; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(transactions.length);
  }
  await Promise.all(all);
  expect(seen).toEqual([2, 3]);
});

test('what waits is written at once where that is asked for, and not again', async () => {
  const { group, transactions, done } = gathered();
  const all = Array.from({ length: 33 }, (_, number) => group.add('now', () => done.push(String(number))));
  group.flush();
  expect(transactions.map(({ done: each }) => each.length)).toEqual([32, 1]);
  await Promise.all(all);
  await new Promise((resolve) => setImmediate(resolve));
  expect(transactions).toHaveLength(2);
});

test('a transaction that cannot begin is not begun again for each of them', async () => {
  let asked = 0;
  const group = new GroupCommit(() => {
    asked += 1;
    throw new Error('database is locked');
  });
  const settled = await Promise.allSettled([group.add('now', () => 'a'), group.add('now', () => 'b')]);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(asked).toBe(1);
});
