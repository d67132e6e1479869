import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { parseServiceRecords } from '../agent/eligibility/simulated-eligibility-service.ts';
import { printFindings } from '../kit/finding.ts';
import { daySteps, OqsDay } from '../kit/oqs/oqs-day.ts';
import { oqsRules } from '../kit/oqs/oqs-rules.ts';

export type OqsOptions = {
  readonly dir?: string;
  readonly stepSeconds: number;
  readonly json?: true;
  readonly list?: true;
};

const recordsFile = new URL('../agent/eligibility/simulated-eligibility-service.records.json', import.meta.url);
/** Between two looks at what the レセコン writes. ms */
const lookMs = 500;

/** Whom a レセコン may ask for: a line a person, by the columns of the first; a person of several insurers has several. */
export const peopleLines = (wallMs: number): readonly string[] => [
  ['persona', '氏名', '生年月日', '保険者番号', '記号', '番号', '枝番', '照会番号', 'note'].join('\t'),
  ...parseServiceRecords(readFileSync(recordsFile, 'utf8'), wallMs).flatMap((record) =>
    (record.qualifications ?? []).map((held) =>
      [
        ...[record.persona, held.Name, record.birthdate, held.InsurerNumber?.trim(), held.InsuredCardSymbol],
        ...[held.InsuredIdentificationNumber, held.InsuredBranchNumber, record.referenceNumber, record.note],
      ]
        .map((cell) => cell ?? '')
        .join('\t'),
    ),
  ),
];

/** Exit status: 1 where something is wrong, or nothing came at all. */
export const playOqsDay = async ({ dir, stepSeconds, json, list }: OqsOptions): Promise<number> => {
  const say = (text: string): void => void process.stdout.write(text);
  if (list === true) {
    say(`${peopleLines(Date.now()).join('\n')}\n`);
    return 0;
  }
  if (dir === undefined) throw new Error('--dir is missing');
  const day = new OqsDay({
    folder: resolve(dir),
    clock: createSystemClock(),
    recordsJson: readFileSync(recordsFile, 'utf8'),
  });
  say(`${resolve(dir)} に1日分の結果ファイルを書きます。レセコンに face/ を読ませ、req/ へ照会を書かせてください。\n`);
  // Whoever has seen enough is told what was seen so far.
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  for (const [at, step] of daySteps.entries()) {
    if (stop.signal.aborted) break;
    say(`${at + 1}/${daySteps.length} ${step.about}\n`);
    await day.play(step);
    for (let waited = 0; waited < stepSeconds * 1_000 && !stop.signal.aborted; waited += lookMs) {
      await pause(lookMs, undefined, { signal: stop.signal }).catch(() => undefined);
      await day.look();
    }
  }
  if (stop.signal.aborted) say('ここで止めました。ここまでの結果です。\n');
  const findings = await day.finish();
  say(`\n照会 ${day.requests} 件を受け取りました。`);
  if (day.requests === 0) say('何も来ていません。レセコンの共有フォルダの設定を確かめてください。\n');
  else say(printFindings(findings, oqsRules, 'ja'));
  if (json) say(`${JSON.stringify({ steps: daySteps.length, requests: day.requests, findings })}\n`);
  return findings.length === 0 && day.requests > 0 ? 0 : 1;
};
