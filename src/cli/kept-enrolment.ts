import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { type EnrolmentCode, enrolmentCodeSchema } from '../agent/provisioning/enrolment-code.ts';
import { EnrolmentRefused } from '../agent/provisioning/enrolment-letters.ts';
import { parseJson } from '../storage/parse-file.ts';
import { writeFileAtomically } from '../trust/write-file.ts';

/*
 * The code with which a terminal began, kept until everything is done: one that loses its power goes on by itself. Once the
 * clinic has answered it is not asked again: what is left is done here, also where nobody waits for terminals any more. A
 * terminal that went on asking would hold the camera before the faces of its patients.
 */

const keptSchema = enrolmentCodeSchema.extend({ isServed: z.literal(true).optional() });

/** `isServed`: the clinic has answered, and the answer is on the disk. */
type KeptEnrolment = { readonly code: EnrolmentCode; readonly isServed: boolean };

/** null: there is none. What cannot be read serves nobody. */
export const keptEnrolment = async (file: string): Promise<KeptEnrolment | null> => {
  const kept = parseJson(await readFile(file, 'utf8').catch(() => ''), keptSchema);
  if (kept === null) return null;
  const { isServed = false, ...code } = kept;
  return { code, isServed };
};

/** `enrol`: asks the clinic with it, and writes the answer. A code that the clinic refuses is not kept for the next start. */
export const enrolKept = async (file: string, code: EnrolmentCode, enrol: () => Promise<void>): Promise<void> => {
  const keep = (kept: KeptEnrolment): Promise<void> =>
    writeFileAtomically(file, JSON.stringify({ ...kept.code, ...(kept.isServed && { isServed: true }) }));
  const before = await keptEnrolment(file);
  await keep({ code, isServed: false });
  try {
    await enrol();
  } catch (error) {
    // With an earlier one the clinic may have certified this terminal already.
    if (before !== null && before.code.secret !== code.secret) await keep(before);
    else if (error instanceof EnrolmentRefused) await rm(file, { force: true });
    throw error;
  }
  await keep({ code, isServed: true });
};
