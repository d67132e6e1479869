import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { writeFileAtomically } from '../provisioning/facility-authority.ts';

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

export const staffMemberSchema = z.strictObject({
  /** Stands in approvals and in the journal; a role or an initial, not a full name */
  approver: z.string().regex(/^[a-z0-9][a-z0-9-]{0,19}$/),
  /** As the staff page shows it */
  label: z.string().min(1).max(40),
  salt: z.string(),
  /** scrypt of the staffCode (職員コード) */
  hash: z.string(),
});
export type StaffMember = z.infer<typeof staffMemberSchema>;
const staffFileSchema = z.array(staffMemberSchema);

export const readStaff = async (path: string): Promise<readonly StaffMember[]> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  return staffFileSchema.parse(JSON.parse(text));
};

/** A staffCode has 4 to 20 characters; only its salted hash is kept. The same approver again gets the new code. */
export const addStaffMember = async (
  path: string,
  approver: string,
  label: string,
  staffCode: string,
): Promise<void> => {
  if (staffCode.length < 4 || staffCode.length > 20) throw new Error('a staffCode has 4 to 20 characters');
  const salt = randomBytes(16);
  const hash = await derive(staffCode, salt, 32);
  const member = staffMemberSchema.parse({
    approver,
    label,
    salt: salt.toString('base64url'),
    hash: hash.toString('base64url'),
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

/** After this many wrong codes of one approver in a row the next are refused unread for a while. */
const wrongCodesAllowed = 5;
const lockMs = 60_000;

export type StaffCheck = 'right' | 'wrong' | 'locked';

/** Checks staffCodes; slow on purpose (scrypt, some 50 ms) and slower after five wrong ones. */
export class StaffCodes {
  readonly #staff: () => readonly StaffMember[];
  readonly #wrong = new Map<string, { times: number; lockedUntilMs: number }>();

  constructor(staff: () => readonly StaffMember[]) {
    this.#staff = staff;
  }

  async check(approver: string, staffCode: string, monotonicMs: number): Promise<StaffCheck> {
    const member = this.#staff().find((one) => one.approver === approver);
    if (member === undefined) return 'wrong';
    const wrong = this.#wrong.get(approver) ?? { times: 0, lockedUntilMs: 0 };
    if (wrong.lockedUntilMs > monotonicMs) return 'locked';
    // Counted before the slow part, so that many at once are no way around it.
    const times = wrong.times + 1;
    this.#wrong.set(approver, { times, lockedUntilMs: times >= wrongCodesAllowed ? monotonicMs + lockMs : 0 });
    const hash = Buffer.from(member.hash, 'base64url');
    const given = await derive(staffCode.slice(0, 64), Buffer.from(member.salt, 'base64url'), hash.length);
    if (!timingSafeEqual(given, hash)) return 'wrong';
    this.#wrong.delete(approver);
    return 'right';
  }
}
