import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot, shareBuilt } from './release-tree.ts';

/** A line that a release to come would add: put behind the first place where `after` stands. */
type Planted = { readonly file: string; readonly after: string; readonly text: string };

const step = (version: number, table: string): string =>
  `    { version: ${version}, name: 'planted', sql: 'ALTER TABLE ${table} ADD COLUMN planted TEXT' },\n`;

const plants = (versions: { readonly journal: number; readonly outbox: number }): readonly Planted[] => [
  {
    file: 'src/wire/facility-settings.ts',
    after: 'export const facilitySettingsSchema = z.strictObject({\n',
    text: '  planted: z.boolean().default(true),\n',
  },
  {
    file: 'src/wire/messages.ts',
    after: '  stateFromV1,\n  z.strictObject({\n',
    text: '  planted: z.boolean().optional(),\n',
  },
  { file: 'src/agent/journal/journal-kind.ts', after: '', text: step(versions.journal + 1, 'request') },
  { file: 'drivers/store/outbox-kind.ts', after: '', text: step(versions.outbox + 1, 'outbox') },
];

const plant = (text: string, { file, after, text: planted }: Planted): string => {
  const at = after === '' ? text.lastIndexOf('  ],\n};') : text.indexOf(after) + after.length;
  if (at < after.length || at < 0) throw new Error(`${file}: no place to plant in`);
  return text.slice(0, at) + planted + text.slice(at);
};

/**
 * A tree of the release to come: this one, as it lies here, with a new settings key, a new key of `state` and a new column
 * in either store. Answers its path.
 */
export const plantedTree = (versions: { readonly journal: number; readonly outbox: number }): string => {
  const folder = join(projectRoot, '.cache/releases');
  mkdirSync(folder, { recursive: true });
  const tree = mkdtempSync(join(folder, 'next-'));
  const files = execFileSync(
    'git',
    ['-C', projectRoot, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  ).split('\0');
  for (const file of files) {
    if (file === '' || file.startsWith('test/') || file.startsWith('docs/') || !existsSync(join(projectRoot, file)))
      continue;
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(tree, file));
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(tree, 'node_modules'));
  shareBuilt(tree);
  for (const each of plants(versions)) {
    const path = join(tree, each.file);
    writeFileSync(path, plant(readFileSync(path, 'utf8'), each));
  }
  return tree;
};
