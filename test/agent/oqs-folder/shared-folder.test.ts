import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOqsPlace } from '../../../src/agent/oqs-folder/own-place.ts';
import {
  comparedFolders,
  type FolderAccess,
  heldFolders,
  listShared,
  readShared,
  removeShared,
  renameShared,
  writeShared,
} from '../../../src/agent/oqs-folder/shared-folder.ts';

let root: string;
let folder: string;
let key: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'uketsuke-shared-'));
  folder = join(root, 'oqs', 'req');
  mkdirSync(folder, { recursive: true });
  key = join(root, 'signing-key.jwk.json');
  writeFileSync(key, 'private key');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const variants: readonly [string, FolderAccess][] = [
  ...(process.platform === 'linux' ? [['held by its handle (Linux)', heldFolders] as [string, FolderAccess]] : []),
  ['compared before and after (Windows)', comparedFolders],
];

describe.each(variants)('a folder that others write to, %s', (_name, access) => {
  const path = (name = 'a.xml'): string => join(folder, name);
  const read = (name = 'a.xml', maximum = 100) => readShared(folder, name, maximum, access);

  it('reads and lists regular files, tells those that are too long or gone', async () => {
    writeFileSync(path(), 'text');
    expect(await read()).toMatchObject({ kind: 'file', bytes: Uint8Array.from(Buffer.from('text')) });
    expect(await read('a.xml', 3)).toMatchObject({ kind: 'too-long' });
    expect(await read('b.xml')).toEqual({ kind: 'gone' });
    expect(await listShared(folder, (name) => name.endsWith('.xml'), 10, access)).toEqual(['a.xml']);
    await renameShared(folder, 'a.xml', 'a.aside', access);
    await removeShared(folder, 'a.aside', access);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a link to a key', () => symlinkSync(key, path())],
    ['a link to nothing', () => symlinkSync(join(root, 'nothing'), path())],
    ['a second name of a key', () => linkSync(key, path())],
    ['a directory', () => mkdirSync(path())],
    ['a FIFO', () => execFileSync('mkfifo', [path()])],
    ['a device', () => symlinkSync('/dev/zero', path())],
  ])('reads nothing of %s', async (_what, plant) => {
    plant();
    expect(await read()).toEqual({ kind: 'odd' });
  });

  it.runIf(process.platform === 'linux')(
    'holds no handle of a file that is taken away while it is written',
    async () => {
      const held = () => readdirSync('/proc/self/fd').length;
      const before = held();
      const hasty: FolderAccess = {
        flags: access.flags,
        open: async (of) => {
          const opened = await access.open(of);
          // Whoever looks by this name finds the file gone.
          return { ...opened, at: (name) => (existsSync(join(folder, name)) ? join(folder, 'gone') : opened.at(name)) };
        },
      };
      for (let times = 0; times < 10; times += 1)
        await expect(writeShared(folder, 'a.xml', Buffer.from('text'), hasty)).rejects.toThrow('ENOENT');
      expect(held()).toBe(before);
    },
  );

  it('reads nothing of a socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path(), resolve));
    expect(await read()).toEqual({ kind: 'odd' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('reads nothing of a link that takes the place of a file between two steps', async () => {
    writeFileSync(path(), 'text');
    const swapped: FolderAccess = {
      open: access.open,
      // Asked for just before the file is opened, after it was looked at.
      get flags() {
        unlinkSync(path());
        symlinkSync(key, path());
        return access.flags;
      },
    };
    expect(await readShared(folder, 'a.xml', 100, swapped)).toEqual({ kind: 'odd' });
  });

  it('a folder that is a link is refused for every step, and nothing is written where it leads', async () => {
    const elsewhere = join(root, 'elsewhere');
    renameSync(folder, elsewhere);
    symlinkSync(elsewhere, folder);
    writeFileSync(join(elsewhere, 'a.xml'), 'text');
    const code = 'ENOTDIR';
    await expect(read()).rejects.toMatchObject({ code });
    await expect(writeShared(folder, 'b.xml', Buffer.from('x'), access)).rejects.toMatchObject({ code });
    await expect(removeShared(folder, 'a.xml', access)).rejects.toMatchObject({ code });
    await expect(listShared(folder, () => true, 9, access)).rejects.toMatchObject({ code });
    expect(readdirSync(elsewhere)).toEqual(['a.xml']);
  });

  it('a folder that becomes a link in the middle of a write leads nowhere', async () => {
    const elsewhere = join(root, 'elsewhere');
    mkdirSync(elsewhere);
    const swapped: FolderAccess = {
      open: access.open,
      get flags() {
        if (!existsSync(join(root, 'aside'))) {
          renameSync(folder, join(root, 'aside'));
          symlinkSync(elsewhere, folder);
        }
        return access.flags;
      },
    };
    await writeShared(folder, 'b.xml', Buffer.from('patient'), swapped).catch(() => undefined);
    // The held handle writes where the folder now lies; a compared one gives up. Nobody writes through the link.
    expect(readdirSync(elsewhere).filter((name) => name === 'b.xml')).toEqual([]);
  });

  it('writes through nothing that lay there: a link under the name is replaced, its target untouched', async () => {
    symlinkSync(key, path());
    await writeShared(folder, 'a.xml', Buffer.from('answer'), access);
    expect(readFileSync(key, 'utf8')).toBe('private key');
    expect(readFileSync(path(), 'utf8')).toBe('answer');
    unlinkSync(path());
    linkSync(key, path());
    await writeShared(folder, 'a.xml', Buffer.from('again'), access);
    expect(readFileSync(key, 'utf8')).toBe('private key');
  });

  it('the folder itself goes to the disk after the rename: a power cut takes no file back', async () => {
    const seen: string[][] = [];
    const watched: FolderAccess = {
      flags: access.flags,
      open: async (path) => {
        const opened = await access.open(path);
        return {
          ...opened,
          sync: async () => {
            seen.push(readdirSync(folder));
            await opened.sync();
          },
        };
      },
    };
    await writeShared(folder, 'a.xml', Buffer.from('answer'), watched);
    expect(seen).toEqual([['a.xml']]);
  });

  it('a name is one step', async () => {
    for (const name of ['../a', 'a/b', '..', '.', '', 'a\0b', 'a\\b']) {
      await expect(readShared(folder, name, 9, access)).rejects.toThrow();
      await expect(writeShared(folder, name, Buffer.from(''), access)).rejects.toThrow();
    }
  });
});

it('the trial that Windows runs holds on this system, too, and everything can be planted here', () => {
  const program = new URL('../../../scripts/trials/windows/shared-folder-attacks.ts', import.meta.url).pathname;
  const { tries, ...told } = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' }));
  expect(told).toMatchObject({ in: 0, notPlanted: [] });
  expect(tries).toBeGreaterThanOrEqual(18);
});

describe('where the shared folder lies', () => {
  const codeOf = async (shared: string): Promise<string | null> => {
    const checked = await checkOqsPlace(shared, [key, join(root, 'agent')]);
    return checked.ok ? null : checked.failure.code;
  };
  it('beside the keys, or below the agent, is its own place', async () => {
    expect(await codeOf(join(root, 'oqs'))).toBeNull();
    expect(await codeOf(join(root, 'agent', 'oqs'))).toBeNull();
    expect(await codeOf(join(root, 'not', 'there', 'yet'))).toBeNull();
  });
  it('around the keys, at them, or a link to them, is refused by name', async () => {
    for (const shared of [root, join(root, 'agent'), `${root}/oqs/..`])
      expect(await codeOf(shared), shared).toBe('files.folder-holds-keys');
    symlinkSync(root, join(root, 'oqs', 'face'));
    expect(await codeOf(join(root, 'oqs'))).toBe('files.folder-holds-keys');
  });
});
