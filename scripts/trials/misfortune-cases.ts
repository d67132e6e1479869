import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { type Case, stepsWith } from './misfortune-steps.ts';
import { storeCasesOf } from './misfortune-stores.ts';
import type { MisfortunesBed } from './misfortunes-bed.ts';

/** Every misfortune, in an order in which one after the other can befall one clinic. */
export const casesOf = (bed: MisfortunesBed): readonly Case[] => {
  const steps = stepsWith(bed);
  const { faulty, agentWith, terminalWith, healthSays, staffPageSays, visit, lay, take, until } = steps;
  const { fill, empty, setClock, clockFile, idle, oneVisit, rowsSince } = steps;
  const oqs = join(bed.disks.oqs, 'oqs');

  const agentStartsAt = (offset: string) => () =>
    faulty(
      () => agentWith(offset),
      () => staffPageSays('clock.wrong'),
      () => agentWith(),
    );
  const agentIsSetTo = (offset: string) => () =>
    faulty(
      async () => {
        setClock('+0');
        await agentWith(clockFile);
        setClock(offset);
      },
      () => staffPageSays('clock.wrong'),
      () => agentWith(),
    );
  const terminalStartsAt = (offset: string) => () =>
    faulty(
      () => terminalWith(offset),
      async () => {
        const word = await healthSays('clock.corrected');
        if ((await visit()) !== 'accepted') throw new Error('a terminal with a wrong clock does not serve');
        return word;
      },
      () => terminalWith(),
    );
  const stopped = (what: 'agent' | 'link', word: 'agent.silent' | 'delivery.link-lost') => () =>
    faulty(
      () => bed[what]?.child.kill('SIGSTOP'),
      () => healthSays(word),
      () => bed[what]?.child.kill('SIGCONT'),
    );

  /** A visit while the shared folder takes no file: accepted, its file there once the folder is back. */
  const folderAway =
    (
      word: 'files.folder-missing' | 'files.folder-full' | 'files.folder-read-only',
      harm: () => void,
      mend: () => void,
    ) =>
    async () => {
      const before = bed.rows();
      await faulty(
        harm,
        async () => {
          if ((await visit()) !== 'accepted') throw new Error('the visit was not accepted');
          return staffPageSays(word);
        },
        mend,
      );
      const isThere = () => rowsSince(before).every(({ file }) => file !== null);
      await eventually('the file that waited', () => (isThere() ? true : undefined), 60_000);
      return word;
    };

  /** Killed in the midst of a visit; `heard`: the agent may answer before the kill. */
  const killedTerminal = (heard: boolean, next: 'same card' | 'another card' | 'no card') => async () => {
    await idle();
    const before = bed.rows();
    lay();
    await until('summary');
    if (!heard) bed.agent?.child.kill('SIGSTOP');
    const { session } = await until('sending', ...(heard ? (['waiting-result', 'accepted'] as const) : []));
    await bed.terminal?.end('SIGKILL');
    bed.agent?.child.kill('SIGCONT');
    await bed.startTerminal();
    if (next === 'same card') {
      lay();
      const shown = await bed.patient.see('accepted');
      take();
      if (shown.session !== session) throw new Error('another visit was shown');
    }
    if (next === 'another card') lay('hanako');
    await oneVisit(before, next !== 'same card');
    if (next === 'another card') take();
    await idle();
    return next === 'same card' ? ('goes-on' as const) : ('delivery.result-late' as const);
  };

  /** The disk hangs while a request is stored; then power goes, or it comes to itself. */
  const diskHangs = (killed: boolean) => async () => {
    await idle();
    const before = bed.rows();
    lay();
    await until('summary');
    const release = await steps.stallDisk(bed.link?.child);
    try {
      await until('desk');
      const word = await healthSays('delivery.store-failed');
      take();
      if (killed) {
        await bed.terminal?.end('SIGKILL');
        await release();
        await bed.link?.end('SIGKILL');
        await bed.startLink();
        await bed.startTerminal();
      }
      await release();
      // Cancelled, and nothing of it ever comes; or it was on the disk, and staff are told that it is late.
      await eventually('an empty outbox', () => (bed.outbox() === 0 ? true : undefined), 90_000);
      if (rowsSince(before).length > 0) await oneVisit(before, true);
      await idle();
      return word;
    } finally {
      await release();
    }
  };

  const clocks: readonly Case[] = [
    ['starts in 2020', agentStartsAt('-2500d')],
    ['starts in 1990', agentStartsAt('-13000d')],
    ['starts in 2060', agentStartsAt('+12500d')],
    ['is two months ahead after a night', agentStartsAt('+60d')],
    ['is set three days ahead', agentIsSetTo('+3d')],
    ['is set two years ahead', agentIsSetTo('+800d')],
    ['is set back by an hour', agentIsSetTo('-1h')],
  ].map(([what, befall]) => ({
    ...{ name: `the agent's clock ${String(what)}`, word: 'clock.wrong', who: 'technician' },
    befall: befall as Case['befall'],
  }));
  const terminalClocks: readonly Case[] = [
    ['starts in 2020', '-2500d'],
    ['starts at its build date', '-9d'],
    ['is three years ahead', '+1100d'],
  ].map(([what, offset = '']) => ({
    ...{ name: `the terminal's clock ${what}`, word: 'clock.corrected', who: 'technician' },
    befall: terminalStartsAt(offset),
  }));
  const processes: readonly Case[] = [
    { name: 'the agent hangs', word: 'agent.silent', who: 'staff', befall: stopped('agent', 'agent.silent') },
    {
      name: 'the link hangs',
      word: 'delivery.link-lost',
      who: 'technician',
      befall: stopped('link', 'delivery.link-lost'),
    },
    {
      ...{ name: 'the broker hangs', word: 'delivery.offline', who: 'staff' },
      befall: () =>
        faulty(
          () => bed.mosquitto.signal('SIGSTOP'),
          () => healthSays('delivery.offline'),
          () => bed.mosquitto.signal('SIGCONT'),
        ),
    },
    {
      ...{ name: 'the broker is killed', word: 'delivery.offline', who: 'staff' },
      befall: () =>
        faulty(
          () => bed.mosquitto.kill(),
          () => healthSays('delivery.offline'),
          () => bed.mosquitto.start(),
        ),
    },
    {
      ...{ name: 'the agent is killed', word: 'agent.silent', who: 'staff' },
      befall: () =>
        faulty(
          () => bed.agent?.end('SIGKILL'),
          () => healthSays('agent.silent'),
          () => bed.startAgent(),
        ),
    },
    {
      ...{ name: 'the link is killed', word: 'delivery.link-lost', who: 'technician' },
      befall: () =>
        faulty(
          () => bed.link?.end('SIGKILL'),
          () => healthSays('delivery.link-lost'),
          () => bed.startLink(),
        ),
    },
  ];
  const disks: readonly Case[] = [
    {
      ...{ name: "the agent's disk is full", word: 'agent.disk-full', who: 'technician' },
      befall: () =>
        faulty(
          () => fill(bed.disks.journal),
          async () => {
            await staffPageSays('agent.disk-full');
            return healthSays('agent.disk-full');
          },
          () => empty(bed.disks.journal),
        ),
    },
    {
      ...{ name: 'the agent is stopped while its disk is full', word: 'agent.disk-full', who: 'technician' },
      befall: () =>
        faulty(
          () => fill(bed.disks.journal),
          async () => {
            const word = await staffPageSays('agent.disk-full');
            const status = await bed.agent?.end('SIGTERM');
            if (status !== 0) throw new Error(`ended with ${status}`);
            return word;
          },
          async () => {
            empty(bed.disks.journal);
            await bed.startAgent();
          },
        ),
    },
    {
      ...{ name: "the agent's disk turns read-only after an error", word: 'agent.disk-read-only', who: 'technician' },
      befall: () =>
        faulty(
          () => bed.breakJournalDisk(),
          async () => {
            await staffPageSays('agent.disk-read-only');
            return healthSays('agent.disk-read-only');
          },
          async () => {
            await bed.agent?.end('SIGTERM');
            bed.repairJournalDisk();
            await bed.startAgent();
          },
        ),
    },
    {
      name: "the terminal's disk hangs for 7 s while a request is stored",
      word: 'delivery.store-failed',
      who: 'technician',
      befall: diskHangs(false),
    },
    {
      name: "the terminal's disk hangs, and terminal and link are killed",
      word: 'delivery.store-failed',
      who: 'technician',
      befall: diskHangs(true),
    },
  ];
  const toAway = () => renameSync(join(oqs, 'face'), join(oqs, 'face-away'));
  const fromAway = () => renameSync(join(oqs, 'face-away'), join(oqs, 'face'));
  const inTheWay = join(oqs, 'res', 'OQSsiquc01res_1.xml');
  const folders: readonly Case[] = [
    {
      name: 'the shared folder is away',
      word: 'files.folder-missing',
      who: 'technician',
      befall: folderAway('files.folder-missing', toAway, fromAway),
    },
    {
      ...{ name: 'the shared folder is full', word: 'files.folder-full', who: 'technician' },
      befall: folderAway(
        'files.folder-full',
        () => fill(bed.disks.oqs),
        () => empty(bed.disks.oqs),
      ),
    },
    {
      ...{ name: 'the shared folder is read-only', word: 'files.folder-read-only', who: 'technician' },
      befall: folderAway(
        'files.folder-read-only',
        () => void steps.remount(bed.disks.oqs, 'ro'),
        () => void steps.remount(bed.disks.oqs, 'rw'),
      ),
    },
    {
      ...{
        name: 'the shared folder is away and the clock jumps by two years',
        word: 'files.folder-missing',
        who: 'technician',
      },
      befall: async () => {
        setClock('+0');
        await agentWith(clockFile);
        const word = await folderAway('files.folder-missing', toAway, () => {
          setClock('+800d');
          fromAway();
        })();
        await agentWith();
        return word;
      },
    },
    {
      ...{ name: "a folder lies under an answer's name", word: 'files.not-a-file', who: 'technician' },
      befall: () =>
        faulty(
          () => {
            mkdirSync(inTheWay);
            writeFileSync(join(oqs, 'req', 'OQSsiquc01req_1.xml'), '<XmlMsg/>');
          },
          () => staffPageSays('files.not-a-file'),
          () => rmSync(inTheWay, { recursive: true }),
        ),
    },
  ];
  const killed: readonly Case[] = (
    [
      ['while sending; the same card', false, 'same card'],
      ['after the receipt; the same card', true, 'same card'],
      ['while sending; another card', false, 'another card'],
      ['while sending; no card', false, 'no card'],
    ] as const
  ).map(([what, heard, next]) => ({
    name: `the terminal is killed ${what}`,
    ...(next === 'same card' ? { word: 'goes-on', who: 'nobody' } : { word: 'delivery.result-late', who: 'staff' }),
    befall: killedTerminal(heard, next),
  }));

  return [...clocks, ...terminalClocks, ...processes, ...disks, ...folders, ...killed, ...storeCasesOf(bed)];
};
