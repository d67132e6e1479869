import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { typed } from '../../scripts/beds/typed-command.ts';
import { reasonOf } from '../../src/cli/say.ts';
import { commands } from '../../src/main.ts';

/* What is mistyped: one line, in the language of the locale, and an exit status that no finding has. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-usage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inJapan = 'ja_JP.UTF-8';

/** Every command that does something itself, as its words. */
const everyCommand = async (): Promise<readonly (readonly string[])[]> => {
  const words: string[][] = [];
  const walk = (command: Command, above: readonly string[]): void => {
    const own = [...above, command.name()];
    words.push(own);
    for (const each of command.commands) walk(each, own);
  };
  for (const { load } of Object.values(commands)) {
    const program = new Command('uketsuke').enablePositionalOptions();
    (await load()).register(program);
    for (const each of program.commands) walk(each, []);
  }
  return words;
};

test('an option that there is not, or one that is missing, ends every command with 2 and one line', async () => {
  const all = await everyCommand();
  expect(all.length).toBeGreaterThan(50);
  for (const words of all) {
    const { status, out, error } = await typed([...words, '--nonsense'], inJapan);
    expect({ status, out }, words.join(' ')).toEqual({ status: 2, out: '' });
    expect(error, words.join(' ')).toMatch(/^uketsuke: (?:知らないオプション --nonsense|\S.* を指定してください)$/);
  }
});

test.each([
  [['doctr'], '知らないコマンド doctr （doctor のことですか）', "unknown command 'doctr' (Did you mean doctor?)"],
  [['run', '--config'], '--config <file> の値がありません', "option '--config <file>' argument missing"],
  [['run', 'now'], 'run: 余分な言葉があります（0 個のところに 1 個）: now', 'too many arguments for'],
  [
    ['run', '--log', 'jsno'],
    '--log <format> に jsno は使えません: json, pretty のどれか',
    'Allowed choices are json, pretty.',
  ],
  [['agent', '--staff-port', '99999'], '--staff-port <port> に 99999 は使えません: 0〜65535', 'is invalid. a TCP port'],
  [['agent', '--broker', 'pc:99999'], '--broker <host:port> に pc:99999 は使えません', 'is invalid. host:port'],
  [['preview', '--port', '99999'], '--port <number> に 99999 は使えません: 0〜65535', 'is invalid. a TCP port'],
  [['preview', '--port', '８４８２'], '--port <number> に ８４８２ は使えません', 'is invalid. a TCP port'],
  [['agent', 'device', 'add', 'terminal-01', '--lane', '100'], '--lane <number> に 100 は使えません: 1〜99', '1 to 99'],
])('%j is told in the language of the locale', async (words, japanese, english) => {
  const here = await typed(words, inJapan);
  expect(here.error).toContain(`uketsuke: ${japanese}`);
  expect(here.status).toBe(2);
  const elsewhere = await typed(words);
  expect(elsewhere.error).toContain(english);
  expect(elsewhere.error).toMatch(/^uketsuke: .+$/);
});

test('help that was asked for is no mistake, a command without its word is one', async () => {
  expect(await typed(['config', '--help'])).toMatchObject({ status: 0, error: '' });
  expect(await typed(['config'])).toMatchObject({ status: 2, out: '' });
});

test('what a command is refused is a line, whichever command it is', async () => {
  const told = await typed(['preview', '--page-dir', folder, '--port', '0'], inJapan);
  expect(told.error).toMatch(/^uketsuke preview: .*index\.html.*$/);
  expect(told.status).toBe(2);
});

test('a port that another program has is told with its number', async () => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
  });
  const { error, status } = await typed(['preview', '--port', String(port)], inJapan);
  other.close();
  expect(error).toContain(`uketsuke preview: ポート ${port} は別のプログラムが使っています`);
  expect(status).toBe(2);
});

test('a language that there is not is told before anything is shown', async () => {
  const { error, status } = await typed(['preview', '--language', 'xx']);
  expect(error).toContain('uketsuke preview: no language xx; there are: en, ja-easy, ja, ko');
  expect(status).toBe(2);
});

test.each([
  ['EIO', 'did not', '応答しません'],
  ['ELOOP', 'did not', '自分に戻るリンク'],
  ['ENAMETOOLONG', 'did not', '名前が長すぎます'],
  ['EBUSY', 'did not', '別のプログラムが開いています'],
])('%s of the system is told in words', (code, said, japanese) => {
  const path = join(folder, 'clinic.uketsuke');
  const error = Object.assign(new Error(`${code}: ${said}`), { code, path });
  expect(reasonOf(error, { LANG: inJapan })).toMatch(new RegExp(`^${path}.*${japanese}`));
  expect(reasonOf(error, { LANG: 'C' })).toMatch(new RegExp(`^${path}: [a-z,:? ]+$`));
});

test('of a folder that is no facility nobody is told that its key was taken away', async () => {
  for (const words of [['state'], ['lock'], ['take-away', join(folder, 'ca.pem')]]) {
    const told = await typed(['agent', 'ca-key', ...words, '--facility-dir', folder]);
    expect(told).toMatchObject({ status: 2, out: '' });
    expect(told.error).toContain(`${folder}: no facility's directory (facility.json is missing)`);
  }
});

test('a folder in which nothing of ours lies is not erased, an empty or half erased one is', async () => {
  const photos = join(folder, 'photos');
  mkdirSync(photos);
  writeFileSync(join(photos, 'family.jpg'), 'x');
  for (const option of ['--agent-dir', '--facility-dir']) {
    const { status, error } = await typed(['erase', option, photos, '--keep-free-space', '--yes']);
    expect(status).toBe(2);
    expect(error).toContain(`${photos}: nothing of ours lies there, so nothing is erased`);
    expect(readdirSync(photos)).toEqual(['family.jpg']);
  }
  // Folders of such names have others, too; with a key of ours in one it is what an erasure left that was cut off.
  const device = join(photos, 'devices', 'terminal-01', 'link');
  mkdirSync(device, { recursive: true });
  expect(await typed(['erase', '--facility-dir', photos, '--keep-free-space', '--yes'])).toMatchObject({ status: 2 });
  expect(readdirSync(photos)).toEqual(['devices', 'family.jpg']);
  writeFileSync(join(device, 'tls-key.pem'), 'x');
  expect(await typed(['erase', '--facility-dir', photos, '--keep-free-space', '--yes'])).toMatchObject({
    status: 0,
    out: '{"files":2,"filledBytes":0}',
  });
  const again = await typed(['erase', '--facility-dir', photos, '--keep-free-space', '--yes'], inJapan);
  expect(again.error).toBe(`${photos} がありません。打ち間違いか、もう消したものです`);
});

test('of a folder or configuration that is not there no support bundle is written', async () => {
  const out = join(folder, 'bundle.json.gz');
  for (const option of ['--dir', '--config']) {
    const { status, error } = await typed(['support-bundle', option, join(folder, 'agnet'), '--out', out]);
    expect(error).toBe(`uketsuke support-bundle: ${join(folder, 'agnet')}: there is no such file or folder`);
    expect(status).toBe(2);
    expect(existsSync(out)).toBe(false);
  }
});

test.each([
  [{ '--facility': 'クリニック' }, '--facility: 半角の英小文字'],
  [{ '--agent': '受付' }, '--agent: 半角の英小文字'],
  [{ '--institution-code': '１３１２３４５６７８' }, '--institution-code: 半角数字 10 桁'],
  [{ '--name': '' }, '--name: 1 行、1〜60 文字'],
  [{ '--ca-key-to': tmpdir() }, `${tmpdir()} はもうあります`],
  [{ '--ca-key-to': '/media/no-stick/ca.pem' }, '/media/no-stick がありません。USB メモリーを挿し'],
])('a facility with %j is not half made', async (wrong, told) => {
  const good = {
    '--facility': 'clinic-0001',
    '--name': '𠮷田医院',
    '--institution-code': '1312345678',
    '--kind': 'dental',
  };
  const dir = join(folder, 'facility');
  const words = Object.entries({ '--dir': dir, ...good, ...wrong }).flat();
  const { status, error } = await typed(['provision', ...words], inJapan);
  expect(error).toContain(`uketsuke provision: ${told}`);
  expect(status).toBe(2);
  expect(existsSync(dir)).toBe(false);
});

test.each(['replay FILE', 'diff FILE FILE', 'redact FILE OUT'])(
  'a file that is no trace is told with its name and line, and as no difference: trace %s',
  async (words) => {
    const [file, out] = [join(folder, 'trace.jsonl'), join(folder, 'out.jsonl')];
    writeFileSync(file, '\nPIN 1234\n');
    const asked = words.split(' ').map((word) => ({ FILE: file, OUT: out })[word] ?? word);
    const { status, error } = await typed(['trace', ...asked], inJapan);
    expect(error).toBe(`uketsuke trace: ${file}: 2 行目: JSON ではありません`);
    expect(status).toBe(2);
  },
);
