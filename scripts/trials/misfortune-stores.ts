import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { eventually } from './eventually.ts';
import { type Case, stepsWith } from './misfortune-steps.ts';
import type { MisfortunesBed } from './misfortunes-bed.ts';

/** What befalls the files in which both ends keep what must not be lost, and a socket's place. */
export const storeCasesOf = (bed: MisfortunesBed): readonly Case[] => {
  const { faulty, staffPageSays, doctorSays, healthSays, visit, oneVisit } = stepsWith(bed);
  const journal = join(bed.disks.journal, 'journal.sqlite');
  const linkStore = join(bed.disks.link, 'link.sqlite');
  const damage = (path: string): void => {
    const half = Math.floor(readFileSync(path).length / 2);
    const bytes = readFileSync(path);
    bytes.fill(0x55, half, half + 2_048);
    writeFileSync(path, bytes);
  };
  /** What lies there is known from the tables: nothing need be lost. */
  const damageIndex = (path: string, index: string): void => {
    const database = new DatabaseSync(path, { readOnly: true });
    const { page_size: size } = database.prepare('PRAGMA page_size').get() as { page_size: number };
    const root = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(index);
    database.close();
    const bytes = readFileSync(path);
    const from = (Number(root?.rootpage) - 1) * size;
    bytes.fill(0x55, from, from + size);
    writeFileSync(path, bytes);
  };
  const copy = join(bed.directory, 'journal-of-last-week');
  const stores: readonly Case[] = [
    {
      ...{ name: "the agent's journal is deleted while it runs", word: 'storage.taken-away', who: 'technician' },
      befall: () =>
        faulty(
          async () => {
            for (const part of ['', '-wal', '-shm']) rmSync(`${journal}${part}`, { force: true });
            // It ends by itself, and the service manager begins it anew.
            if ((await bed.agent?.ended()) !== 70) throw new Error('it goes on without its journal');
            await bed.startAgent();
          },
          () => staffPageSays('storage.taken-away'),
          () => {},
        ),
    },
    {
      ...{
        name: 'an older journal is put in place while the agent is off',
        word: 'storage.rolled-back',
        who: 'technician',
      },
      befall: () =>
        faulty(
          async () => {
            await bed.agent?.end('SIGTERM');
            copyFileSync(journal, copy);
            const before = bed.journalEntries();
            await bed.changeSettings();
            await bed.startAgent();
            await eventually('another entry', () => (bed.journalEntries() > before ? true : undefined), 60_000);
            await bed.agent?.end('SIGTERM');
            copyFileSync(copy, journal);
            await bed.startAgent();
          },
          () => staffPageSays('storage.rolled-back'),
          () => {},
        ),
    },
    {
      ...{
        name: "an older copy of the agent's whole directory is put in place while it is off",
        word: 'storage.rolled-back',
        who: 'technician',
      },
      befall: () =>
        faulty(
          async () => {
            await bed.agent?.end('SIGTERM');
            copyFileSync(journal, copy);
            cpSync(bed.agentDirectory, `${copy}-directory`, { recursive: true });
            const held = bed.heldSettings();
            await bed.changeSettings();
            await bed.startAgent();
            await eventually('the settings at the terminal', () => bed.heldSettings() > held || undefined, 60_000);
            await bed.agent?.end('SIGTERM');
            copyFileSync(copy, journal);
            cpSync(`${copy}-directory`, bed.agentDirectory, { recursive: true });
            const known = bed.journalEvents('storage.rolled-back');
            await bed.startAgent();
            await eventually(
              'another word of it',
              () => bed.journalEvents('storage.rolled-back') > known || undefined,
              60_000,
            );
          },
          () => staffPageSays('storage.rolled-back'),
          () => {},
        ),
    },
    {
      ...{ name: "the link's store is deleted while it runs", word: 'storage.taken-away', who: 'technician' },
      befall: () =>
        faulty(
          () => rmSync(linkStore),
          () => doctorSays('storage.taken-away'),
          () => {},
        ),
    },
    {
      ...{ name: "the agent's journal is damaged while it is off", word: 'storage.damaged', who: 'technician' },
      befall: async () => {
        const before = bed.rows();
        await bed.agent?.end('SIGTERM');
        damageIndex(journal, 'request_session');
        await bed.startAgent();
        const word = await staffPageSays('storage.damaged');
        if (bed.rows().length !== before.length) throw new Error('rows that could be read are gone');
        return word;
      },
    },
    {
      ...{ name: "the link's store is damaged while it is off", word: 'storage.damaged', who: 'technician' },
      befall: () =>
        faulty(
          async () => {
            await bed.link?.end('SIGTERM');
            damage(linkStore);
            await bed.startLink();
          },
          () => doctorSays('storage.damaged'),
          () => {},
        ),
    },
    {
      ...{ name: "the link's store is cut to nothing while it is off", word: 'goes-on', who: 'nobody' },
      befall: async () => {
        await bed.link?.end('SIGTERM');
        await healthSays('delivery.link-lost');
        if (statSync(linkStore).size === 0) throw new Error('the store holds nothing that could be cut');
        truncateSync(linkStore);
        await bed.startLink();
        const before = bed.rows();
        const screen = await visit();
        if (screen !== 'accepted') throw new Error(`a visit ends at ${screen}`);
        await oneVisit(before, false);
        if (statSync(linkStore).size === 0) throw new Error('a request was kept, and the store holds nothing');
        return 'goes-on';
      },
    },
    {
      ...{ name: "a directory lies where the link's socket must be", word: 'socket.place-taken', who: 'technician' },
      befall: () =>
        faulty(
          async () => {
            await bed.link?.end('SIGKILL');
            rmSync(bed.linkSocket, { force: true });
            mkdirSync(bed.linkSocket);
            if (await bed.linkRefuses()) return;
            throw new Error('the link does not say why');
          },
          () => doctorSays('socket.place-taken'),
          async () => {
            rmSync(bed.linkSocket, { recursive: true });
            await bed.startLink();
          },
        ),
    },
  ];
  return stores;
};
