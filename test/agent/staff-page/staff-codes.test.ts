import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { GuessesBeside } from '../../../src/agent/staff-page/guesses-beside.ts';
import { oneTimeAddress, oneTimeCode, stepAt } from '../../../src/agent/staff-page/one-time-code.ts';
import { addStaffMember, readStaff, StaffCodes, type StaffMember } from '../../../src/agent/staff-page/staff-codes.ts';

let folder: string;
let journal: Journal;
let staff: readonly StaffMember[];
const begin = Date.UTC(2026, 10, 29);
const secret = Buffer.from('12345678901234567890').toString('base64url');
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-codes-'));
  journal = new Journal(join(folder, 'journal.sqlite'));
  await addStaffMember(
    join(folder, 'staff.json'),
    { approver: 'nurse-1', label: '看護師', oneTimeSecret: secret },
    '4711',
  );
  await addStaffMember(join(folder, 'staff.json'), { approver: 'clerk-1', label: '受付' }, '0815');
  staff = await readStaff(join(folder, 'staff.json'));
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});
const codes = (rules = { minimumLength: 4, secondFactor: false }) =>
  new StaffCodes(() => staff, journal.guesses, rules);
const restart = (): void => {
  journal.close();
  journal = new Journal(join(folder, 'journal.sqlite'));
};

describe('guessing', () => {
  test('1,000 guesses a minute apart over 50 restarts: a dozen are read, and staff are told', async () => {
    let read = 0;
    let nowMs = begin;
    for (let start = 0; start < 50; start += 1) {
      restart();
      const checks = codes();
      for (let guess = 0; guess < 20; guess += 1) {
        const { is } = await checks.check('nurse-1', { staffCode: `x${start * 20 + guess}`, oneTimeCode: '' }, nowMs);
        if (is !== 'locked') read += 1;
        nowMs += 60_000;
      }
    }
    expect(read).toBeGreaterThanOrEqual(5);
    expect(read).toBeLessThanOrEqual(16);
    expect(codes().guessed()).toMatchObject([{ label: '看護師', wrong: read }]);
    // Another approver is not kept out by it, and the right code counts once the lock is over.
    expect(await codes().check('clerk-1', { staffCode: '0815', oneTimeCode: '' }, nowMs)).toEqual({ is: 'right' });
    expect(await codes().check('nurse-1', { staffCode: '4711', oneTimeCode: '' }, nowMs + 4 * 3_600_000)).toEqual({
      is: 'right',
    });
    expect(codes().guessed()).toEqual([]);
  });

  test.each(['journal.sqlite', 'beside.json'])(
    '%s taken away, or an older one in its place, gives no new tries',
    async (name) => {
      const beside = join(folder, 'beside.json');
      const anew = () =>
        new StaffCodes(
          () => staff,
          journal.guesses,
          { minimumLength: 4, secondFactor: false },
          new GuessesBeside(beside),
        );
      const right = { staffCode: '4711', oneTimeCode: '' };
      for (let wrong = 0; wrong < 7; wrong += 1)
        await anew().check('nurse-1', { staffCode: 'no', oneTimeCode: '' }, begin + wrong * 600_000);
      const nowMs = begin + 6 * 600_000;
      expect(await anew().check('nurse-1', right, nowMs + 1)).toMatchObject({ is: 'locked' });
      journal.close();
      for (const file of readdirSync(folder)) if (file.startsWith(name)) rmSync(join(folder, file));
      journal = new Journal(join(folder, 'journal.sqlite'));
      expect(await anew().check('nurse-1', right, nowMs + 1)).toMatchObject({ is: 'locked' });
      expect(anew().guessed()).toMatchObject([{ wrong: 7 }]);
      // The right one after the lock ends both counts.
      expect(await anew().check('nurse-1', right, nowMs + 600_000)).toEqual({ is: 'right' });
      expect(anew().guessed()).toEqual([]);
    },
  );

  test('many at once are counted one by one', async () => {
    const checks = codes();
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        checks.check('nurse-1', { staffCode: `y${index}`, oneTimeCode: '' }, begin),
      ),
    );
    expect(all.filter(({ is }) => is === 'wrong')).toHaveLength(5);
  });

  test('a clock that is set back locks nobody out for longer than the lock', async () => {
    for (let wrong = 0; wrong < 30; wrong += 1)
      await codes().check('nurse-1', { staffCode: 'no', oneTimeCode: '' }, begin + wrong * 5 * 3_600_000);
    const back = begin - 365 * 86_400_000;
    expect(await codes().check('nurse-1', { staffCode: '4711', oneTimeCode: '' }, back)).toMatchObject({
      is: 'locked',
      until: back + 4 * 3_600_000,
    });
  });
});

describe('more than four digits, where the facility asks for it', () => {
  test('one-time codes are those of RFC 6238', () => {
    // Appendix B, last six of the eight digits.
    for (const [seconds, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [20_000_000_000, '353130'],
    ] as const)
      expect(oneTimeCode(secret, stepAt(seconds * 1_000))).toBe(code);
    expect(oneTimeAddress(secret, 'nurse-1')).toContain('secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  });

  test('a second factor: both or nobody, each code once, also after a restart', async () => {
    const rules = { minimumLength: 4, secondFactor: true };
    const oneTime = oneTimeCode(secret, stepAt(begin));
    const check = (staffCode: string, code: string, nowMs = begin) =>
      codes(rules).check('nurse-1', { staffCode, oneTimeCode: code }, nowMs);
    expect(await check('4711', '')).toEqual({ is: 'wrong' });
    expect(await check('4711', '000000')).toEqual({ is: 'wrong' });
    expect(await check('4711', oneTime)).toEqual({ is: 'right' });
    expect(await check('4711', oneTime)).toEqual({ is: 'wrong' });
    restart();
    expect(await check('4711', oneTime)).toEqual({ is: 'wrong' });
    expect(await check('4711', oneTimeCode(secret, stepAt(begin + 30_000)), begin + 30_000)).toEqual({ is: 'right' });
    expect(await codes(rules).check('clerk-1', { staffCode: '0815', oneTimeCode: oneTime }, begin)).toEqual({
      is: 'no-second-factor',
    });
  });

  test('a longer code: a shorter one of before approves nobody', async () => {
    const rules = { minimumLength: 8, secondFactor: false };
    expect(await codes(rules).check('clerk-1', { staffCode: '0815', oneTimeCode: '' }, begin)).toEqual({
      is: 'too-short',
    });
    await expect(
      addStaffMember(join(folder, 'staff.json'), { approver: 'clerk-1', label: '受付' }, '0815', 8),
    ).rejects.toThrow('8 to 64');
    await addStaffMember(join(folder, 'staff.json'), { approver: 'clerk-1', label: '受付' }, '0815-0815', 8);
    staff = await readStaff(join(folder, 'staff.json'));
    expect(await codes(rules).check('clerk-1', { staffCode: '0815-0815', oneTimeCode: '' }, begin)).toEqual({
      is: 'right',
    });
  });
});
