import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type EnrolmentCode, enrolmentCodeSchema } from '../agent/provisioning/enrolment-code.ts';
import { askByLetters, EnrolmentRefused, readLetters, searchClinics } from '../agent/provisioning/enrolment-letters.ts';
import { makeFolder } from '../storage/make-folder.ts';
import { parseJson } from '../storage/parse-file.ts';
import { enrolmentPort } from './provision-places.ts';
import { outcomeOf } from './run-commands.ts';

/* Where a terminal finds its enrolment code: a file that was named, a stick, or letters that somebody types or shows. */

const fileName = 'uketsuke-*.json';
/** Where desktop programs and the technician's own mounts are. No deeper: a disk full of pictures is no stick. */
const mounts = ['/media', '/media/*', '/media/*/*'];
const ownMount = '/run/uketsuke-stick';
/** A stick that is failing answers in minutes, or never. ms */
const stickMs = 10_000;

const codesIn = async (folders: readonly string[]): Promise<string[]> => {
  const found: string[] = [];
  for await (const path of glob(folders.map((folder) => join(folder, fileName)))) found.push(path);
  return found;
};

const readCodeFile = async (file: string): Promise<EnrolmentCode> => {
  const code = parseJson(await readFile(file, 'utf8'), enrolmentCodeSchema);
  if (code === null) throw new Error(`${file} is no enrolment code`);
  return code;
};

const listedSchema = z.object({
  blockdevices: z.array(
    z.object({
      path: z.string(),
      rm: z.boolean(),
      fstype: z.string().nullable(),
      mountpoints: z.array(z.string().nullable()),
    }),
  ),
});

/** Removable partitions with a file system that nobody has mounted. */
const unmountedSticks = async (): Promise<string[]> => {
  const words = ['--json', '--list', '--output', 'PATH,RM,FSTYPE,MOUNTPOINTS'];
  const { output } = await outcomeOf('lsblk', words, stickMs);
  return (parseJson(output, listedSchema)?.blockdevices ?? [])
    .filter(
      ({ rm, fstype, mountpoints }) =>
        rm && ['vfat', 'exfat', 'ext4'].includes(fstype ?? '') && mountpoints.every((at) => at === null),
    )
    .map(({ path }) => path);
};

const onSticks = async (): Promise<EnrolmentCode[]> => {
  const codes: EnrolmentCode[] = [];
  for (const path of await unmountedSticks()) {
    await makeFolder(ownMount, 0o700);
    const { ok } = await outcomeOf('mount', ['-o', 'ro,nosuid,nodev,noexec', path, ownMount], stickMs);
    if (!ok) continue;
    try {
      for (const file of await codesIn([ownMount])) codes.push(await readCodeFile(file));
    } finally {
      await outcomeOf('umount', [ownMount], stickMs);
    }
  }
  return codes;
};

/**
 * Of the codes on a stick, the one for this terminal: the newest that `mayServe`. Whether it is too old is the clinic's
 * to say, whose clock made it. null: there is none. Throws when the newest are several: which is this terminal?
 */
export const chooseCode = (
  codes: readonly EnrolmentCode[],
  mayServe: (code: EnrolmentCode) => boolean,
): EnrolmentCode | null => {
  const open = codes.filter(mayServe);
  const newest = Math.max(...open.map(({ until }) => until));
  const [code = null, ...more] = open.filter(({ until }) => until === newest);
  if (code !== null && more.length > 0)
    throw new Error(
      `more than one enrolment code: name the file of one of ${[code, ...more].map(({ device }) => device).join(', ')}`,
    );
  return code;
};

/** The code on the sticks that are in. */
export const codeOnStick = async (mayServe: (code: EnrolmentCode) => boolean): Promise<EnrolmentCode | null> => {
  const codes = await onSticks();
  for (const file of await codesIn(mounts)) codes.push(await readCodeFile(file));
  return chooseCode(codes, mayServe);
};

type Clinics = Awaited<ReturnType<typeof searchClinics>>;

/**
 * The code behind letters, from `host` or from whoever in this network waits for terminals. In a house of several clinics one
 * refuses what is another's: the letters are refused where all have refused them.
 */
export const codeOfLetters = async (
  letters: string,
  host: string | undefined,
  search: () => Promise<Clinics> = () => searchClinics(enrolmentPort),
): Promise<EnrolmentCode> => {
  const clinics = host === undefined ? await search() : [{ host, port: enrolmentPort }];
  const failures: Error[] = [];
  for (const clinic of clinics) {
    try {
      return await askByLetters({ ...clinic, letters });
    } catch (error) {
      failures.push(error as Error);
    }
  }
  throw (
    failures.find((error) => !(error instanceof EnrolmentRefused)) ??
    failures[0] ??
    new Error(
      "nobody in this network waits for terminals: run `uketsuke provision clinic` at the clinic's PC, or name it with --host",
    )
  );
};

/** What was given on the command line: a file, letters, or nothing (a stick). */
export const findEnrolment = async (given: string | undefined, host: string | undefined): Promise<EnrolmentCode> => {
  const letters = given === undefined ? null : readLetters(given);
  if (letters !== null) return codeOfLetters(letters, host);
  if (given !== undefined) return readCodeFile(given);
  const code = await codeOnStick(() => true);
  if (code === null)
    throw new Error(
      `no enrolment code: type its eight letters, put in the stick (${mounts[1]}/${fileName}), or name the file`,
    );
  return code;
};
