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

/** What an operating system or a program leaves behind while it writes: nobody's request. */
const isPassing = (name: string): boolean =>
  name.startsWith('.') || name.startsWith('~') || /^(thumbs\.db|desktop\.ini)$/i.test(name);

export const isUnreadable = (name: string): boolean => name.endsWith('.unreadable');

/** So many strange names are looked at in one round. */
const maximumStrangers = 50;

/** Files that lie in `req/` and are no request by name, and longer than somebody needs to rename them. */
export const strangersIn = async (folder: string, names: readonly string[], settledMs: number): Promise<number> => {
  const strange = names.filter((name) => requestOf(name) === null && !isUnreadable(name) && !isPassing(name));
  const settled = await Promise.all(
    strange.slice(0, maximumStrangers).map(async (name) => {
      const file = await readShared(folder, name, 0);
      return file.kind === 'odd' || (file.kind !== 'gone' && Math.abs(Date.now() - file.modifiedMs) >= settledMs);
    }),
  );
  return settled.filter(Boolean).length;
};
