import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../../core/result.ts';
import type { Rollout, RolloutReason } from '../../core/rollout/rollout.ts';
import { parseJson } from '../../storage/parse-file.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { importVerificationKey } from '../../trust/key-files.ts';
import { openPaper, type VerificationKey } from '../../trust/seal.ts';
import {
  type RolloutFile,
  type RolloutKind,
  type RolloutTrust,
  rolloutConsentSchema,
  rolloutFileOf,
  rolloutFileSchema,
  rolloutOrderSchema,
  rolloutTrustSchema,
  rolloutWordSchema,
} from '../../wire/rollout-papers.ts';

/** The keys of a chain, as a facility or its operator trusts them. Rejects where one of them is none. */
export const chainKeysOf = ({ chain, keys }: RolloutTrust): Promise<VerificationKey[]> =>
  Promise.all(keys.map((key) => importVerificationKey(chain, key)));

export type ChainTrust = { readonly chain: string; readonly keys: readonly VerificationKey[] };

/** What a rollout-trust.json says. null: it is none, or one of its keys is none, with which nothing could be judged any more */
export const openTrust = async (text: string): Promise<ChainTrust | null> => {
  const trust = parseJson(text, rolloutTrustSchema);
  const keys = trust === null ? null : await chainKeysOf(trust).catch(() => null);
  return trust === null || keys === null ? null : { chain: trust.chain, keys };
};

/** Three papers of a million letters, and what is around them. Bytes */
const longestFile = 3_100_000;

/** A pipe that somebody has laid into the folder would let whoever opens it wait for ever. Windows knows none of them */
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A file of the folder, and nothing else that has a name there. Rejects as the file system does. */
export const openFileOf = async (path: string): Promise<FileHandle> => {
  const file = await open(path, withoutWaiting);
  const found = await file.stat().catch(() => null);
  if (found?.isFile()) return file;
  await file.close();
  throw new Error(`${path}: a file is expected`);
};

/** The first bytes of a file, `most` at most: whoever may write into the folder must not fill this process. */
export const readAtMost = async (path: string, most: number): Promise<Buffer> => {
  const file = await openFileOf(path);
  return Buffer.concat(await file.createReadStream({ end: most - 1 }).toArray());
};

const hashOfText = (text: string): string => hashOf(new TextEncoder().encode(text));

/**
 * A published file, every signature looked at: the order by the chain's keys, its words by the watch that it names, or by the
 * chain's keys, a consent by the chain's keys alone.
 */
export const openPapers = async (
  file: RolloutFile,
  kind: RolloutKind,
  keys: readonly VerificationKey[],
): Promise<Result<Rollout, RolloutReason>> => {
  const opened = await openPaper('rollout-order', file.order, rolloutOrderSchema, keys);
  if (!opened.ok) return err('forged');
  const order = opened.value.message;
  if (order.kind !== kind) return err('other-order');
  const watch = await importVerificationKey('watch', order.watch).then(
    (key) => [key],
    () => [],
  );
  const word = await openPaper('rollout-word', file.word, rolloutWordSchema, [...watch, ...keys]);
  if (!word.ok) return err('forged');
  const consent =
    file.consent === null ? null : await openPaper('rollout-consent', file.consent, rolloutConsentSchema, keys);
  return ok({
    order,
    orderHash: hashOfText(file.order),
    word: word.value.message,
    wordHash: hashOfText(file.word),
    consent: consent?.ok === true ? consent.value.message : null,
  });
};

/** What lies in the folder for this kind. null: nothing was ever published here */
export const openRollout = async (
  folder: string,
  kind: RolloutKind,
  keys: readonly VerificationKey[],
): Promise<Result<Rollout, RolloutReason> | null> => {
  const bytes = await readAtMost(join(folder, rolloutFileOf(kind)), longestFile).catch(
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? null : Buffer.alloc(0)),
  );
  if (bytes === null) return null;
  const file = parseJson(bytes.toString('utf8'), rolloutFileSchema);
  return file === null ? err('unreadable') : openPapers(file, kind, keys);
};
