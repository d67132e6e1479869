import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { comparedFolders, listShared, readShared, writeShared } from '../../../src/agent/oqs-folder/shared-folder.ts';

/*
 * What may lie in a folder that other machines write to, tried on the system that this runs on, with the variant for
 * systems that have no handles of folders: `node shared-folder-attacks.ts` on Windows (or Wine, or here). One JSON line;
 * `notPlanted`: what this system, or this user, cannot plant. Status 1: something got in.
 */
const root = mkdtempSync(join(tmpdir(), 'uketsuke-attacks-'));
const folder = join(root, 'req');
const key = join(root, 'signing-key.jwk.json');
const name = 'OQSsiquc01req_1.xml';
const at = join(folder, name);
const secret = 'a private key';

const read = async (): Promise<string> => {
  const file = await readShared(folder, name, 1_000, comparedFolders).catch(
    (error: NodeJS.ErrnoException) => error.code,
  );
  return typeof file === 'object' && file.kind === 'file' ? Buffer.from(file.bytes).toString() : 'nothing';
};
const write = (): Promise<void> => writeShared(folder, name, Buffer.from('an answer'), comparedFolders);
const elsewhere = join(root, 'elsewhere');
/** The folder's place is taken by what leads elsewhere. */
const swapFolder = (kind: 'dir' | 'junction') => (): void => {
  renameSync(folder, elsewhere);
  writeFileSync(join(elsewhere, name), secret);
  symlinkSync(elsewhere, folder, kind);
};

/** Each plants, then tells whether it got in. */
const attacks: readonly (readonly [string, () => void, () => Promise<boolean>])[] = [
  ['a second name of a key is read', () => linkSync(key, at), async () => (await read()) === secret],
  ['a link to a key is read', () => symlinkSync(key, at, 'file'), async () => (await read()) === secret],
  ['a folder under a request’s name is read', () => mkdirSync(at), async () => (await read()) !== 'nothing'],
  [
    'an answer is written through a second name',
    () => linkSync(key, at),
    async () => write().then(() => readFileSync(key, 'utf8') !== secret),
  ],
  [
    'an answer is written through a link',
    () => symlinkSync(key, at, 'file'),
    async () => write().then(() => readFileSync(key, 'utf8') !== secret),
  ],
  ['the folder is a junction: it is read', swapFolder('junction'), async () => (await read()) === secret],
  [
    'the folder is a junction: it is written to',
    swapFolder('junction'),
    async () =>
      write().then(
        () => true,
        () => readFileSync(join(elsewhere, name), 'utf8') !== secret,
      ),
  ],
  ['the folder is a link: it is read', swapFolder('dir'), async () => (await read()) === secret],
  [
    'the folder is a junction: it is listed',
    swapFolder('junction'),
    async () =>
      listShared(folder, () => true, 9, comparedFolders).then(
        (names) => names.length > 0,
        () => false,
      ),
  ],
  ...[
    '..\\signing-key.jwk.json',
    '../signing-key.jwk.json',
    'a/b',
    '..',
    `${name}:stream`,
    `${name}.`,
    `${name} `,
    'CON',
    'nul.xml',
  ].map(
    (odd) =>
      [
        `a file called ${JSON.stringify(odd)} is written`,
        () => {},
        async (): Promise<boolean> =>
          writeShared(folder, odd, Buffer.from('x'), comparedFolders).then(
            // Where it is an ordinary name, it is an ordinary file in that folder.
            () => readdirSync(root).length > 2 || !readdirSync(folder).includes(odd),
            () => false,
          ),
      ] as const,
  ),
];

const notPlanted: string[] = [];
const got: string[] = [];
for (const [what, plant, isIn] of attacks) {
  for (const place of [folder, elsewhere]) rmSync(place, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(key, secret);
  try {
    plant();
  } catch (error) {
    notPlanted.push(`${what}: ${(error as NodeJS.ErrnoException).code}`);
    continue;
  }
  if (await isIn().catch(() => false)) got.push(what);
}
rmSync(root, { recursive: true, force: true });
const tries = attacks.length - notPlanted.length;
process.stdout.write(`${JSON.stringify({ platform: process.platform, tries, in: got.length, got, notPlanted })}\n`);
process.exitCode = got.length === 0 ? 0 : 1;
