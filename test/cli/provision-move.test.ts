import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { roles } from '../../scripts/package/roles.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { watchJournalHead } from '../../src/agent/journal/journal-witness.ts';
import { readBackup, withAgentStopped, writeBackup } from '../../src/cli/provision-move.ts';
import { madePlaces } from '../../src/cli/provision-places.ts';
import { settleRestored } from '../../src/cli/restored-journal.ts';

let folder: string;
let place: string;
let file: string;
const passphrase = 'correct horse battery';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-move-'));
  place = join(folder, 'agent');
  file = join(folder, 'clinic.uketsuke');
  mkdirSync(join(place, 'card-trust'), { recursive: true });
  writeFileSync(join(place, 'signing-key.jwk.json'), 'SECRET-OF-THE-AGENT', { mode: 0o600 });
  writeFileSync(join(place, 'card-trust/card-ca.pem'), 'anchor');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a backup brings everything to another machine, and tells nobody what is in it', async () => {
  await writeBackup(file, passphrase, [place]);
  expect(readFileSync(file).includes('SECRET-OF-THE-AGENT')).toBe(false);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(['agent', 'clinic.uketsuke']);
  const other = join(folder, 'other');
  mkdirSync(other);
  await readBackup(file, passphrase, other);
  expect(readFileSync(join(other, place, 'signing-key.jwk.json'), 'utf8')).toBe('SECRET-OF-THE-AGENT');
  expect(statSync(join(other, place, 'signing-key.jwk.json')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(other, place, 'card-trust/card-ca.pem'), 'utf8')).toBe('anchor');
});

test.each([
  ['another passphrase', (): string => 'another passphrase'],
  [
    'a byte that changed',
    (): string => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      return passphrase;
    },
  ],
  [
    'an end that is missing',
    (): string => {
      writeFileSync(file, readFileSync(file).subarray(0, -600));
      return passphrase;
    },
  ],
])('%s restores nothing', async (_what, spoil) => {
  await writeBackup(file, passphrase, [place]);
  const given = spoil();
  const other = join(folder, 'other');
  mkdirSync(other);
  await expect(readBackup(file, given, other)).rejects.toThrow('nothing was restored');
  expect(readdirSync(other)).toEqual([]);
});

test.each(['SIGINT', 'SIGHUP'] as const)('a backup that %s ends leaves an agent that runs', async (signal) => {
  const log = join(folder, 'systemctl.log');
  const stub = `#!/bin/sh\necho "$1 $2" >> ${log}\n`;
  writeFileSync(join(folder, 'systemctl'), stub, { mode: 0o755 });
  const move = join(import.meta.dirname, '../../src/cli/provision-move.ts');
  // Its stick takes nothing.
  const script = `import { ${withAgentStopped.name} } from ${JSON.stringify(move)};
    await withAgentStopped((interrupted) => new Promise((_, reject) => {
      const waits = setInterval(() => {}, 1_000);
      interrupted.onabort = () => { clearInterval(waits); reject(new Error('interrupted')); };
      process.stdout.write('copying');
    })).catch(() => process.exit(2));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill(signal);
  const [code] = await once(child, 'exit');
  expect(code).toBe(2);
  expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
    'is-active --quiet',
    'stop uketsuke-agent.service',
    'start uketsuke-agent.service',
  ]);
});

test('a file that is none is named, and a place that is gone leaves no half backup', async () => {
  writeFileSync(file, 'hello');
  await expect(readBackup(file, passphrase, folder)).rejects.toThrow('no backup');
  const unwritten = join(folder, 'unwritten');
  await expect(writeBackup(unwritten, passphrase, [join(folder, 'nowhere')])).rejects.toThrow('is not written');
  expect(existsSync(unwritten)).toBe(false);
});

test('a copy that is put back is told as far as it reaches, and the agent’s own witness doubts it', async () => {
  const journal = new Journal(join(place, 'journal.sqlite'));
  const head = watchJournalHead(join(place, 'journal-seen.json'), journal, () => 0);
  journal.settingsIssue({ facility: 'clinic-0001', device: 'front-1', contentHash: 'a' }, 1_000);
  await head.keep(true);
  journal.close();
  const lastWrittenAt = new Date('2026-11-20T03:00:00Z');
  utimesSync(join(place, 'journal.sqlite'), lastWrittenAt, lastWrittenAt);
  await writeBackup(file, passphrase, [place]);
  const other = join(folder, 'other');
  mkdirSync(other);
  await readBackup(file, passphrase, other);
  const agent = join(other, place);
  expect(await settleRestored(agent)).toEqual(lastWrittenAt);
  const restored = new Journal(join(agent, 'journal.sqlite'));
  expect(watchJournalHead(join(agent, 'journal-seen.json'), restored, () => 0).isRolledBack).toBe(true);
  restored.close();
});

test('what units and `provision` make is what undo and purge take away', () => {
  const unitsOf = (pattern: string): string[] => globSync(pattern).map((unit) => readFileSync(unit, 'utf8'));
  const stateOf = (texts: string[]): string[] =>
    texts.flatMap((text) => [...text.matchAll(/^StateDirectory=(.*)$/gm)].map(([, name]) => `/var/lib/${name}`));
  const [clinic, terminal] = [
    stateOf([...unitsOf('systemd/mosquitto/*.service'), ...unitsOf('systemd/uketsuke-agent.service')]),
    stateOf(['', '-link', '-face', '-kiosk'].flatMap((name) => unitsOf(`systemd/uketsuke${name}.service`))),
  ];
  expect([clinic.length, terminal.length]).toEqual([3, 2]);
  expect(madePlaces.clinic).toEqual(expect.arrayContaining(clinic));
  expect(madePlaces.terminal).toEqual(expect.arrayContaining(terminal));
  expect(madePlaces.terminal).toEqual(
    expect.arrayContaining(
      ['yaml', 'good.yaml', 'yaml.replaced', 'yaml.before'].map((end) => `/etc/uketsuke/terminal.${end}`),
    ),
  );
  const purged = roles.flatMap(({ purges }) => purges);
  expect([...purged].sort()).toEqual([...madePlaces.terminal, ...madePlaces.clinic].sort());
});
