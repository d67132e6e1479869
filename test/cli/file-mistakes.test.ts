import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { typed } from '../../scripts/beds/typed-command.ts';

/* What a technician in Japan reads of a mistake in a file, as the commands print it. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-mistakes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inJapan = 'ja_JP.UTF-8';
const good = 'facility: clinic-0001\ndevice: terminal-01\nbroker:\n  host: 192.0.2.10\n';

const check = async (text: string, lang: string): Promise<string> => {
  const path = join(folder, 'terminal.yaml');
  writeFileSync(path, text);
  const { status, error } = await typed(['config', 'check', '--config', path], lang);
  expect(status, error).toBe(2);
  return error.replaceAll(path, 'terminal.yaml');
};

test.each([
  ['a wrong type', `${good}  port: many\n`, 'terminal.yaml:5:9: broker.port: 無効な入力: 数値が期待されましたが、'],
  ['a number out of range', `${good}  port: 70000\n`, 'terminal.yaml:5:9: broker.port: 大きすぎる値: '],
  ['our own words', good.replace('clinic-0001', 'Clinic 1'), 'terminal.yaml:1:11: facility: 半角の英小文字'],
  [
    'a name that is almost right',
    `${good}  prot: 1\n`,
    'terminal.yaml:5:3: 知らない項目 "prot"（"port" のことですか）',
  ],
  ['a list where settings are expected', '- a: 1\n', 'terminal.yaml:1:1: 設定ファイルではありません'],
  ['a quotation that does not end', 'facility: "clinic\n', 'terminal.yaml:2:1: YAML として読めません: 二重引用符'],
  ['two on one line', 'facility: a: b\n', 'terminal.yaml:1:11: YAML として読めません: 1 行に'],
  ['a tab', 'broker:\n\thost: x\n', 'terminal.yaml:2:1: YAML として読めません: 字下げにタブ'],
  ['a file without its end', '---\nfacility: clinic-0001\n', 'terminal.yaml:2:1: ファイルが --- で始まり'],
])('%s is told in Japanese where the locale is', async (_, text, told) => {
  expect(await check(text, inJapan)).toContain(told);
  expect(await check(text, 'C.UTF-8')).toMatch(/^[\x20-\x7e\n]+$/);
});

test('JSON is the same in every language', async () => {
  const path = join(folder, 'terminal.yaml');
  writeFileSync(path, `${good}  port: many\n`);
  const detail = async (lang: string): Promise<string | undefined> => {
    const { diagnoses } = JSON.parse((await typed(['doctor', '--json', '--config', path], lang)).out) as {
      diagnoses: readonly { check: string; detail: string }[];
    };
    return diagnoses.find(({ check: name }) => name === 'config')?.detail;
  };
  const [here, elsewhere] = [await detail(inJapan), await detail('C.UTF-8')];
  expect(here).toContain('broker.port: Invalid input');
  expect(here).toBe(elsewhere);
});

// A folder opens as a file does, and the system names no path where it is read.
test.each([
  ['agent', 'audit', 'verify', '--file'],
  ['agent', 'usage', 'import', '--dir', '/', '--'],
  ['config', 'check', '--config'],
  ['models', 'add', '--id', 'own', '--source', 'x', '--licence', 'x', '--training-data', 'x', '--limits', 'x', '--'],
  ['preview', '--settings'],
  ['rollout', 'init', '--chain', 'midori', '--dir', 'FOLDER/operator', '--key'],
  ['rollout', 'plan'],
  ['trace', 'replay'],
  ['visit', 'replay'],
])('a folder where a file is expected is told with its path: %s %s %s', async (...words) => {
  const { status, error } = await typed([...words.map((word) => word.replace('FOLDER', folder)), folder]);
  expect(error).toContain(`${folder}: a file is expected`);
  expect(error.split('\n')).toHaveLength(1);
  expect(status).not.toBe(0);
});

test('mistakes in agent.yaml are told in Japanese where the locale is', async () => {
  const about = ['--facility', 'clinic-0001', '--name', '見本医院', '--institution-code', '1312345678'];
  const made = await typed(['provision', '--dir', join(folder, 'made'), ...about, '--kind', 'medical'], inJapan);
  const { agent } = JSON.parse(made.out) as { agent: string };
  writeFileSync(join(agent, 'agent.yaml'), 'staffPort: many\nencoding: EUC-JP\n');
  const { error } = await typed(['agent', '--dir', agent], inJapan);
  expect(error).toContain('agent.yaml:1:12: staffPort: 無効な入力: 数値');
  expect(error).toContain('agent.yaml:2:11: encoding: 無効な選択: ');
});
