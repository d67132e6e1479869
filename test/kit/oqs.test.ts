import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { machineNowMs } from '../../scripts/beds/machine-now.ts';
import { peopleLines } from '../../src/cli/kit-oqs.ts';
import { daySteps, institutionCode } from '../../src/kit/oqs/oqs-day.ts';

const request = (branch: string): string => `<?xml version="1.0" encoding="UTF-8"?><XmlMsg><MessageHeader>
<MedicalInstitutionCode>${institutionCode}</MedicalInstitutionCode><ArbitraryFileIdentifier>K${branch}</ArbitraryFileIdentifier>
<CharacterCodeIdentifier>0</CharacterCodeIdentifier></MessageHeader><MessageBody><QualificationConfirmSearchInfo>
<InsurerNumber>  138057</InsurerNumber><InsuredIdentificationNumber>1000001</InsuredIdentificationNumber>
<InsuredBranchNumber>${branch}</InsuredBranchNumber></QualificationConfirmSearchInfo></MessageBody></XmlMsg>`;

test('a whole day in a folder, as the command plays it: a branch number of another person is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-kit-oqs-'));
  try {
    mkdirSync(join(folder, 'req'));
    for (const branch of ['01', '77']) writeFileSync(join(folder, `req/OQSsiquc01req_${branch}.xml`), request(branch));
    const kit = ['src/main.ts', 'kit', 'oqs', '--dir', folder, '--step-seconds', '1', '--json'];
    const run = spawnSync(process.execPath, kit, { encoding: 'utf8' });
    const report = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as {
      readonly requests: number;
      readonly findings: readonly { readonly rule: string; readonly where: string }[];
    };
    expect(report.requests).toBe(2);
    const told = report.findings.filter(({ where }) => where.startsWith('req/'));
    expect(told).toMatchObject([{ rule: 'nobody-asked', where: 'req/OQSsiquc01req_77.xml' }]);
    expect(report.findings.map(({ rule }) => rule)).toContain('chart-missing');
    expect(run.stdout).toContain('模擬データにいない人の番号です');
    expect(readdirSync(join(folder, 'face')).filter((name) => name.endsWith('.xml')).length).toBeGreaterThan(12);
    expect(run.status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a day that is stopped tells what was seen so far, and leaves nothing of its own behind', async () => {
  const place = mkdtempSync(join(tmpdir(), 'uketsuke-kit-oqs-'));
  try {
    const [folder, temporary] = [join(place, 'shared'), join(place, 'tmp')];
    mkdirSync(temporary);
    const kit = ['src/main.ts', 'kit', 'oqs', '--dir', folder, '--step-seconds', '1000', '--json'];
    const env = { ...process.env, TMPDIR: temporary };
    const run = spawn(process.execPath, kit, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    for await (const line of createInterface({ input: run.stdout })) {
      lines.push(line);
      if (line.startsWith('1/12')) run.kill('SIGINT');
    }
    expect(lines.some((line) => line.startsWith('2/12'))).toBe(false);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ requests: 0 });
    expect(readdirSync(temporary).filter((name) => name.startsWith('uketsuke-kit'))).toEqual([]);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test('a folder that cannot be written is told before the day begins, and leaves nothing behind', () => {
  const place = mkdtempSync(join(tmpdir(), 'uketsuke-kit-oqs-'));
  try {
    const [folder, temporary] = [join(place, 'shared'), join(place, 'tmp')];
    for (const each of [folder, temporary]) mkdirSync(each);
    writeFileSync(join(folder, 'res'), '');
    const kit = ['src/main.ts', 'kit', 'oqs', '--dir', folder, '--step-seconds', '1'];
    const run = spawnSync(process.execPath, kit, { env: { ...process.env, TMPDIR: temporary }, encoding: 'utf8' });
    expect(run.stderr).toContain(join(folder, 'res'));
    expect(run.stdout).toBe('');
    expect(run.status).not.toBe(0);
    expect(readdirSync(temporary).filter((name) => name.startsWith('uketsuke-kit'))).toEqual([]);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test('--list tells every person whom the day brings, by whom a レセコン asks for them', () => {
  const [columns = '', ...lines] = peopleLines(machineNowMs());
  const cells = lines.map((line) => line.split('\t'));
  for (const each of cells) expect(each).toHaveLength(columns.split('\t').length);
  const listed = new Set(cells.map(([persona]) => persona));
  const brought = daySteps.flatMap(({ visits }) => visits.map(({ persona }) => persona));
  // The one who has no qualification is found by nobody's number.
  expect(brought.filter((persona) => !listed.has(persona))).toEqual(['no-qualification']);
  expect(cells.find(([persona]) => persona === 'taro')?.slice(1, 4)).toEqual(['𠮷田 太郎', '19551123', '39131234']);
});
