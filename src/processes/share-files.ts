import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { FacilityFiles } from '../agent/journal/facility-files.ts';
import { readFacilitySettings } from '../agent/settings/facility-settings-file.ts';
import { readStaff } from '../agent/staff-page/staff-codes.ts';
import { describeError, type EventLog } from '../log/event-log.ts';
import { orMissing } from '../storage/or-missing.ts';
import { parseJson } from '../storage/parse-file.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import type { AgentConfig } from './agent-config.ts';

/** What this agent's file had in common with the facility's last: its version, and the SHA-256 of its text */
const recordSchema = z.record(z.string(), z.strictObject({ version: z.number().int(), hash: z.string() }));
type Common = z.infer<typeof recordSchema>;

const recordName = 'facility-files.json';

const textOf = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(orMissing);
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

type Shared = {
  readonly name: string;
  readonly path: string;
  /** Rejects what no agent can run with: it is not handed on */
  readonly check: (path: string) => Promise<unknown>;
};

/** One file: what was changed here is handed on, what was changed elsewhere is taken. Answers what is common now. */
const shareOne = async (
  { name, path, check }: Shared,
  common: Common[string] | undefined,
  files: FacilityFiles,
): Promise<Common[string] | undefined> => {
  const own = await textOf(path);
  const theirs = files.get(name);
  const hash = own === null ? null : hashOf(own);
  const isChanged = hash !== null && hash !== common?.hash;
  const version = theirs?.version ?? 0;
  // Never shared yet, lost with the journal's key, or changed here alone.
  const isOurs = theirs === undefined || theirs.content === null || (common?.version === version && isChanged);
  if (isOurs) {
    if (own === null || hash === null) return common;
    await check(path);
    return files.follow(name, version, own) ? { version: version + 1, hash } : common;
  }
  const { content } = theirs;
  if (content === null) return common;
  if (hash !== hashOf(content) && (version !== common?.version || own === null)) {
    if (isChanged) await writeFileAtomically(`${path}.not-taken`, own ?? '');
    await writeFileAtomically(path, content);
  }
  return { version, hash: hashOf(content) };
};

/**
 * Approvers and settings are the facility's where its agents share a journal: to be called every few seconds. Rejects where a
 * file cannot be read or written, or is none that an agent can run with; the others are shared all the same.
 */
export const shareFiles = async (
  directory: string,
  { staffFile, settingsFile }: Pick<AgentConfig, 'staffFile' | 'settingsFile'>,
  files: FacilityFiles,
): Promise<void> => {
  const path = join(directory, recordName);
  const text = await textOf(path);
  // None yet, or not to be read: then the facility's stand, and what is here lies beside them.
  const record = parseJson(text ?? '', recordSchema) ?? {};
  const shared: readonly Shared[] = [
    { name: 'staff', path: staffFile, check: readStaff },
    { name: 'settings', path: settingsFile, check: readFacilitySettings },
  ];
  const next: Common = { ...record };
  const failed: unknown[] = [];
  for (const each of shared) {
    const common = await shareOne(each, record[each.name], files).catch((error: unknown) => {
      failed.push(error);
      return record[each.name];
    });
    if (common !== undefined) next[each.name] = common;
  }
  const written = JSON.stringify(next);
  if (written !== JSON.stringify(record)) await writeFileAtomically(path, `${written}\n`);
  if (failed.length > 0) throw failed[0];
};

/** The same, for a round: one at a time, and what goes wrong is logged once. */
export const filesShared = (
  directory: string,
  config: Pick<AgentConfig, 'staffFile' | 'settingsFile'>,
  files: FacilityFiles,
  log: EventLog,
): (() => Promise<void>) => {
  let going: Promise<void> | null = null;
  let told = '';
  return () => {
    going ??= shareFiles(directory, config, files)
      .then(
        () => {
          told = '';
        },
        (error: unknown) => {
          const what = String(error);
          if (what !== told) log.event('process.error', describeError(error));
          told = what;
        },
      )
      .finally(() => {
        going = null;
      });
    return going;
  };
};
