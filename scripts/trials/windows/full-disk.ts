import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WineRoom } from '../../beds/wine-room.ts';
import { eventually, oqs, type WindowsClinic } from './windows-clinic.ts';

const diskBytes = 256 * 1024;

/** The disk of the shared folder is full: the visit has its answer, its file waits, staff are told. Throws. */
export const fillDisk = async (room: WineRoom, clinic: WindowsClinic, visit: () => Promise<void>): Promise<void> => {
  const face = `${oqs}\\face`;
  room.mount(face, diskBytes);
  const here = room.path(face);
  try {
    mkdirSync(join(here, 'other'));
    const fill = join(here, 'other', 'fill');
    try {
      for (let part = 0; part < 1_000; part += 1) writeFileSync(fill, Buffer.alloc(4_096), { flag: 'a' });
    } catch {
      // ENOSPC: that is what was wanted.
    }
    const written = (): string[] => readdirSync(here).filter((name) => name.endsWith('.xml'));
    await visit();
    await eventually('files.folder-full on the staff page', async () =>
      (await clinic.agent.page('/part/banner')).includes('files.folder-full') ? true : undefined,
    );
    if (written().length > 0) throw new Error('a file on a full disk');
    rmSync(join(here, 'other'), { recursive: true });
    await eventually('the file that waited', () => (written().length === 1 ? true : undefined));
    await eventually('files.folder-full to go', async () =>
      (await clinic.agent.page('/part/banner')).includes('files.folder-full') ? undefined : true,
    );
    const kept = written().map((name) => [name, join(here, name)] as const);
    for (const [name, from] of kept) cpSync(from, join(room.path('C:\\uketsuke test'), name));
  } finally {
    room.unmount(face);
  }
  // What the small disk held belongs to the files of this clinic.
  const aside = room.path('C:\\uketsuke test');
  for (const name of readdirSync(aside).filter((each) => each.startsWith('OQS')))
    cpSync(join(aside, name), join(room.path(face), name));
};
