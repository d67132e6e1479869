import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { hourMs } from '../../core/time-units.ts';
import { orMissing } from '../../storage/or-missing.ts';
import { parseJsonFile } from '../../storage/parse-file.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import type { CodeGuesses, Guesses } from '../journal/code-guesses.ts';
import type { GuessesBeside } from './guesses-beside.ts';
import { stepOfCode } from './one-time-code.ts';

/** Longer is no code any more. */
const maximumLength = 64;

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

const staffMemberSchema = z.strictObject({
  /** Stands in approvals and in the journal; a role or an initial, not a full name */
  approver: z.string().regex(/^[a-z0-9][a-z0-9-]{0,19}$/),
  /** As the staff page shows it */
  label: z.string().min(1).max(40),
  salt: z.string(),
  /** scrypt of the staffCode (職員コード) */
  hash: z.string(),
  /** Characters of the staffCode; absent in files of before: taken for 4 */
  length: z.number().int().min(4).max(maximumLength).optional(),
  /** Of the authenticator app, base64url; absent: this person has none */
  oneTimeSecret: z
    .string()
    .regex(/^[\w-]{20,64}$/)
    .optional(),
});
export type StaffMember = z.infer<typeof staffMemberSchema>;
const staffFileSchema = z.array(staffMemberSchema);

export const readStaff = async (path: string): Promise<readonly StaffMember[]> => {
  const text = await readFile(path, 'utf8').catch(orMissing);
  return text === null ? [] : parseJsonFile(path, text, staffFileSchema);
};

/** Only a salted hash of the staffCode is kept. The same approver again gets the new code. Throws when it is too short. */
export const addStaffMember = async (
  path: string,
  { approver, label, oneTimeSecret }: Pick<StaffMember, 'approver' | 'label' | 'oneTimeSecret'>,
  staffCode: string,
  minimumLength = 4,
): Promise<void> => {
  if (staffCode.length < minimumLength || staffCode.length > maximumLength)
    throw new Error(`a staffCode has ${minimumLength} to ${maximumLength} characters`);
  const salt = randomBytes(16);
  const hash = await derive(staffCode, salt, 32);
  const member = staffMemberSchema.parse({
    approver,
    label,
    salt: salt.toString('base64url'),
    hash: hash.toString('base64url'),
    length: staffCode.length,
    ...(oneTimeSecret !== undefined && { oneTimeSecret }),
  });
  const others = (await readStaff(path)).filter((one) => one.approver !== approver);
  await writeFileAtomically(path, `${JSON.stringify([...others, member], null, 2)}\n`);
};

export const removeStaffMember = async (path: string, approver: string): Promise<void> => {
  const staff = await readStaff(path);
  await writeFileAtomically(
    path,
    `${JSON.stringify(
      staff.filter((one) => one.approver !== approver),
      null,
      2,
    )}\n`,
  );
};

/** After this many wrong codes of one approver in a row the next are refused unread for a while, each time twice as long. */
const wrongCodesAllowed = 5;
/** Long enough to ask a colleague for the right one; doubled from then on. ms */
const firstLockMs = 60_000;
/** 10,000 codes of four digits take four and a half years at this pace. ms */
const longestLockMs = 4 * hourMs;

const lockOf = (wrong: number): number =>
  wrong < wrongCodesAllowed ? 0 : Math.min(firstLockMs * 2 ** Math.min(wrong - wrongCodesAllowed, 20), longestLockMs);

/** What the facility asks of its staff (`agent.yaml`). */
type StaffCodeRules = { readonly minimumLength: number; readonly secondFactor: boolean };

/** `locked`: until then (ms since 1970). `too-short`: right, but shorter than the facility asks now. */
export type StaffCheck =
  | { readonly is: 'right' | 'wrong' | 'too-short' | 'no-second-factor' }
  | { readonly is: 'locked'; readonly until: number };

/** Wrong codes that staff should know of. */
type GuessedCode = { readonly label: string; readonly wrong: number; readonly lockedUntil: number };

/**
 * Checks staffCodes; slow on purpose (scrypt, some 50 ms). Wrong ones are counted on the disk, before the code is looked
 * at: neither many at once nor a restart is a way around the count.
 */
export class StaffCodes {
  readonly #staff: () => readonly StaffMember[];
  readonly #guesses: CodeGuesses;
  readonly #rules: StaffCodeRules;

  readonly #beside: GuessesBeside | null;

  constructor(
    staff: () => readonly StaffMember[],
    guesses: CodeGuesses,
    rules: StaffCodeRules,
    beside: GuessesBeside | null = null,
  ) {
    this.#beside = beside;
    this.#staff = staff;
    this.#guesses = guesses;
    this.#rules = rules;
  }

  get asksSecondFactor(): boolean {
    return this.#rules.secondFactor;
  }

  async check(
    approver: string,
    given: { readonly staffCode: string; readonly oneTimeCode: string },
    nowMs: number,
  ): Promise<StaffCheck> {
    const member = this.#staff().find((one) => one.approver === approver);
    if (member === undefined) return { is: 'wrong' };
    const key = keyOf(member);
    const before = this.#of(key);
    // A clock that was set back must not lock anybody out for longer than the lock is.
    const until = Math.min(before?.lockedUntil ?? 0, nowMs + longestLockMs);
    if (until > nowMs) return { is: 'locked', until };
    const wrong = (before?.wrong ?? 0) + 1;
    const counted = { approver, wrong, lockedUntil: nowMs + lockOf(wrong), lastAt: nowMs };
    this.#guesses.set(key, counted);
    await this.#beside?.set(key, counted);
    const hash = Buffer.from(member.hash, 'base64url');
    const derived = await derive(
      given.staffCode.slice(0, maximumLength),
      Buffer.from(member.salt, 'base64url'),
      hash.length,
    );
    const isRight = timingSafeEqual(derived, hash);
    // Both are looked at together: nobody learns which of the two was wrong.
    const factor = this.#secondFactor(member, key, given.oneTimeCode, nowMs);
    if (!isRight || factor === 'wrong') return { is: 'wrong' };
    this.#guesses.forget(key);
    await this.#beside?.set(key, undefined);
    if (factor === 'none') return { is: 'no-second-factor' };
    return { is: (member.length ?? 4) < this.#rules.minimumLength ? 'too-short' : 'right' };
  }

  /** Of the two that count, the one that has counted more. */
  #of(key: string): Guesses | undefined {
    const [here, beside] = [this.#guesses.of(key), this.#beside?.of(key)];
    return (beside?.wrong ?? 0) > (here?.wrong ?? 0) ? beside : here;
  }

  #secondFactor(member: StaffMember, key: string, code: string, nowMs: number): 'right' | 'wrong' | 'none' {
    if (!this.#rules.secondFactor) return 'right';
    if (member.oneTimeSecret === undefined) return 'none';
    const step = stepOfCode(member.oneTimeSecret, code.trim(), nowMs, this.#guesses.lastOneTimeCode(key));
    if (step === null) return 'wrong';
    this.#guesses.useOneTimeCode(key, step);
    return 'right';
  }

  /** Approvers at whose codes somebody has guessed so often that it is no slip of a finger. */
  guessed(): readonly GuessedCode[] {
    return this.#staff().flatMap((member) => {
      const guesses = this.#of(keyOf(member));
      return guesses === undefined || guesses.wrong < wrongCodesAllowed
        ? []
        : [{ label: member.label, wrong: guesses.wrong, lockedUntil: guesses.lockedUntil }];
    });
  }
}

/** A new code has a new salt, and begins anew. */
const keyOf = ({ approver, salt }: StaffMember): string => `${approver} ${salt}`;
