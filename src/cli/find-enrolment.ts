import { execFileSync } from 'node:child_process';
import { glob, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EnrolmentCode, enrolmentCodeSchema } from '../agent/provisioning/enrolment-code.ts';
import { askByLetters, readLetters, searchClinics } from '../agent/provisioning/enrolment-letters.ts';
import { parseJson } from '../storage/parse-file.ts';
import { enrolmentPort, succeeds } from './provision-places.ts';

/* Where a terminal finds its enrolment code: a file that was named, a stick, or letters that somebody types or shows. */

const fileName = 'uketsuke-*.json';
/** Where desktop programs and the technician's own mounts are */
const mounted = `/media/**/${fileName}`;
const ownMount = '/run/uketsuke-stick';

const codesBelow = async (pattern: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const path of glob(pattern)) found.push(path);
  return found;
};

export const readCodeFile = async (file: string): Promise<EnrolmentCode> => {
  const code = parseJson(await readFile(file, 'utf8'), enrolmentCodeSchema);
  if (code === null) throw new Error(`${file} is no enrolment code`);
  return code;
};

type Part = {
  readonly path: string;
  readonly rm: boolean;
  readonly fstype: string | null;
  readonly mountpoints: readonly (string | null)[];
};

/** Removable partitions with a file system that nobody has mounted. */
const unmountedSticks = (): string[] => {
  try {
    const listed = execFileSync('lsblk', ['--json', '--list', '--output', 'PATH,RM,FSTYPE,MOUNTPOINTS'], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    const { blockdevices } = JSON.parse(listed) as { blockdevices: readonly Part[] };
    return blockdevices
      .filter(
        ({ rm, fstype, mountpoints }) =>
          rm && ['vfat', 'exfat', 'ext4'].includes(fstype ?? '') && mountpoints.every((at) => at === null),
      )
      .map(({ path }) => path);
  } catch {
    return [];
  }
};

const onSticks = async (): Promise<EnrolmentCode[]> => {
  const codes: EnrolmentCode[] = [];
  for (const path of unmountedSticks()) {
    await mkdir(ownMount, { recursive: true, mode: 0o700 });
    if (!succeeds('mount', '-o', 'ro,nosuid,nodev,noexec', path, ownMount)) continue;
    try {
      for (const file of await codesBelow(join(ownMount, fileName))) codes.push(await readCodeFile(file));
    } finally {
      succeeds('umount', ownMount);
    }
  }
  return codes;
};

/** The one code on the sticks that are in; null: there is none. Throws when there is more than one: which is this terminal? */
export const codeOnStick = async (nowMs: number): Promise<EnrolmentCode | null> => {
  const codes = await onSticks();
  for (const file of await codesBelow(mounted)) codes.push(await readCodeFile(file));
  const open = codes.filter(({ until }) => until > nowMs);
  if (open.length > 1)
    throw new Error(
      `more than one enrolment code: name the file of one of ${open.map(({ device }) => device).join(', ')}`,
    );
  return open[0] ?? null;
};

/** The code behind letters, from `host` or from whoever in this network waits for terminals. */
export const codeOfLetters = async (letters: string, host: string | undefined): Promise<EnrolmentCode> => {
  const clinics = host === undefined ? await searchClinics(enrolmentPort) : [{ host, port: enrolmentPort }];
  let last = new Error(
    "nobody in this network waits for terminals: run `uketsuke provision clinic` at the clinic's PC, or name it with --host",
  );
  for (const clinic of clinics) {
    try {
      return await askByLetters({ ...clinic, letters });
    } catch (error) {
      last = error as Error;
    }
  }
  throw last;
};

/** What was given on the command line: a file, letters, or nothing (a stick). */
export const findEnrolment = async (given: string | undefined, host: string | undefined): Promise<EnrolmentCode> => {
  const letters = given === undefined ? null : readLetters(given);
  if (letters !== null) return codeOfLetters(letters, host);
  if (given !== undefined) return readCodeFile(given);
  const code = await codeOnStick(Date.now());
  if (code === null)
    throw new Error(`no enrolment code: type its eight letters, put in the stick (${mounted}), or name the file`);
  return code;
};
