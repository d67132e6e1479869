import { createHash } from 'node:crypto';
import { readShared } from './shared-folder.ts';

/** `OQSsiquc01req_0001.xml`; what comes after req_ is the clinic's: Japanese, blanks, capitals, all as programs write it. */
const requestName = /^(OQS[a-z]{4,10}\d{2})req(?:_(.{0,180}))?\.xml$/i;

const knownKinds = ['OQSsiquc01', 'OQSmuquc01', 'OQSmuquc02', 'OQSsiimm01', 'OQSmuimm01'] as const;
type RequestKind = (typeof knownKinds)[number];

/** `known` null: a request of a kind that nobody here answers. */
export type RequestFile = {
  readonly name: string;
  readonly kind: string;
  readonly known: RequestKind | null;
  /** Its answer's name in `res/` */
  readonly resultName: string;
};

/** null: no name of a request. */
export const requestOf = (name: string): RequestFile | null => {
  const match = requestName.exec(name);
  if (match?.[1] === undefined) return null;
  const known = knownKinds.find((kind) => kind.toLowerCase() === match[1]?.toLowerCase()) ?? null;
  const kind = known ?? match[1];
  return { name, kind, known, resultName: `${kind}res${match[2] === undefined ? '' : `_${match[2]}`}.xml` };
};

/** What an operating system keeps in every folder it shows or shares: nobody's request, however old. */
const isOfSystem = (name: string): boolean =>
  /^(thumbs\.db|desktop\.ini|\.ds_store|\._.*|\.nfs[0-9a-f]+|\.uketsuke-.*)$/i.test(name);
/** What a program writes before it renames. */
const isPassing = (name: string): boolean => name.startsWith('.') || name.startsWith('~');
/** Such a file is told of when it lies there for longer: no program writes that slowly. ms */
const passingMs = 10 * 60_000;

const unreadableEnd = '.unreadable';
export const isUnreadable = (name: string): boolean => name.endsWith(unreadableEnd);
/** The name under which a request is put aside; no longer than a folder takes. */
export const asideName = (name: string): string =>
  Buffer.byteLength(name) + unreadableEnd.length <= 255
    ? `${name}${unreadableEnd}`
    : `${createHash('sha256').update(name).digest('hex').slice(0, 16)}.xml${unreadableEnd}`;

/** Bytes that are no UTF-8, as a share with another machine's names gives them: such a file can be seen, never opened. */
export const isBrokenName = (name: string): boolean => name.includes('\ufffd');

/**
 * Requests of one round, at most so many: first what may be answered, then what was `odd` (no file of its own, not to be
 * read) when it was looked at last. Takes names out of `odd` that are gone.
 */
export const requestsInTurn = (names: readonly string[], odd: Set<string>, maximum: number): readonly RequestFile[] => {
  const there = new Set(names);
  for (const name of odd) if (!there.has(name)) odd.delete(name);
  const requests = names.map(requestOf).filter((request) => request !== null);
  const inTurn = [false, true].flatMap((isOdd) => requests.filter(({ name }) => odd.has(name) === isOdd));
  return inTurn.slice(0, maximum);
};

export const isStrange = (name: string): boolean =>
  requestOf(name) === null && !isUnreadable(name) && !isOfSystem(name);

/** Of names that are no request's: files that lie in `req/` for longer than somebody needs to rename them. */
export const strangersIn = async (folder: string, strange: readonly string[], settledMs: number): Promise<number> => {
  const settled = await Promise.all(
    strange.map(async (name) => {
      const file = await readShared(folder, name, 0);
      if (file.kind === 'gone') return isBrokenName(name);
      return file.kind === 'odd' || Math.abs(Date.now() - file.modifiedMs) >= (isPassing(name) ? passingMs : settledMs);
    }),
  );
  return settled.filter(Boolean).length;
};
