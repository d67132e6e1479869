import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { FailureCode } from '../../core/failure.ts';
import { freeBytesIn } from '../../storage/free-bytes.ts';
import { folderFailureOf } from './write-oqs-file.ts';

/** A result is some kilobytes long. */
const leastBytes = 32 * 1024;

/** Why a folder would take no file now, without writing one; null: it would, as far as that shows. */
export const folderTrouble = async (folder: string): Promise<FailureCode | null> => {
  try {
    if (!(await stat(folder)).isDirectory()) return 'files.folder-missing';
    await access(folder, constants.W_OK);
    return (await freeBytesIn(folder)) < leastBytes ? 'files.folder-full' : null;
  } catch (error) {
    return folderFailureOf(error);
  }
};
