import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { faultNames, faultOf, inStaffWords } from '../../src/catalogue/faults.ts';
import { inWords, inWordsOf, reasonOf } from '../../src/cli/say.ts';
import { deskToken } from '../../src/core/catalogue/desk-order.ts';
import { commands } from '../../src/main.ts';
import { printDiagnoses } from '../../src/terminal/doctor/doctor.ts';

const japanese = JSON.parse(readFileSync('src/cli/texts.ja.json', 'utf8')) as Record<string, string>;
const inJapan = { LANG: 'ja_JP.UTF-8' };

/** Every text of help, with what commander itself says. */
const helpTexts = async (): Promise<Set<string>> => {
  const texts = new Set<string>();
  const walk = (command: Command): void => {
    texts.add(command.description());
    for (const { description } of command.options) texts.add(description);
    for (const each of command.commands) walk(each);
  };
  for (const { about, load } of Object.values(commands)) {
    texts.add(about);
    const program = new Command('uketsuke').enablePositionalOptions();
    (await load()).register(program);
    for (const each of program.commands) walk(each);
  }
  texts.delete('');
  return texts;
};

/** The texts that stand in the calls themselves, in `tell('…'` and `inWords('…'`. */
const saidTexts = (): Set<string> =>
  new Set(
    globSync('src/cli/*.ts').flatMap((file) =>
      [
        ...readFileSync(file, 'utf8').matchAll(
          /(?:\btell|\binWords|\bask)\(\s*(?:inTpm \? )?(['"])((?:(?!\1).)+)\1(?: : (['"])((?:(?!\3).)+)\3)?/g,
        ),
      ].flatMap(([, , one = '', , other]) => (other === undefined ? [one] : [one, other])),
    ),
  );

test('everything that help, doctor and provision say has its Japanese', async () => {
  const wanted = new Set([...(await helpTexts()), ...saidTexts()]);
  for (const name of faultNames) {
    const { cause, remedy, actor } = faultOf(name);
    for (const text of inStaffWords(name) === null ? [cause, remedy.join('; '), actor] : [actor, ...remedy])
      wanted.add(text);
    expect(inStaffWords(name)?.remedy ?? [], name).not.toContain(deskToken);
    expect(inStaffWords(name)?.cause ?? '顔', name).toMatch(/[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]/u);
  }
  expect([...wanted].filter((text) => japanese[text] === undefined)).toEqual([]);
  expect(saidTexts().size).toBeGreaterThan(15);
});

/** Texts that are thrown, or found by the doctor, with their values in them; `{}` for each. */
const filledTexts = (files: readonly string[], calls: RegExp): Set<string> =>
  new Set(
    globSync(files).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(calls)].map(([, , text = '']) =>
        text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '{}').replaceAll('\\`', '`'),
      ),
    ),
  );

test('what the doctor finds well or skips, and why a command refuses, has its Japanese', () => {
  const known = new Set(Object.keys(japanese).map((english) => english.replaceAll(/\{\w+\}/g, '{}')));
  /** A place that is told as host:port, folder/file */
  const asOne = (text: string): string => text.replaceAll(/\{\}[:/]\{\}/g, '{}');
  const found = filledTexts(
    ['src/terminal/doctor/*.ts'],
    /(?:\bfine\(|\bskipped\(|\bfound\('[\w.-]+',|\bdetail(?: =|:)|\breturn(?= `))\s*(['`])((?:(?!\1).)*[A-Za-z]{2}(?:(?!\1).)*)\1/g,
  );
  const refused = filledTexts(
    ['src/cli/*.ts', 'src/agent/provisioning/*.ts', 'src/storage/parse-file.ts'],
    /(?:new \w*Error|new EnrolmentRefused|\bfail|\brefuse\('[\w ]+',|const missing\w+ = \(\w+: string\): string =>)\s*\(?\s*(['"`])((?:\\`|(?!\1).)*[a-z] [a-z](?:\\`|(?!\1).)*)\1/g,
  );
  const mistakes = filledTexts(
    ['src/config-file/plain-yaml.ts', 'src/config-file/read-settings.ts'],
    /(?:reason: |\bcut\(|\breturn |[?:] |, )(?:\w+\(\w+\) \? \w+ : )?(['`])((?:(?!\1).)*[a-z] (?:\w+ )*[a-z](?:(?!\1).)*)\1/g,
  );
  expect(found.size).toBeGreaterThan(15);
  expect(refused.size).toBeGreaterThan(80);
  expect(mistakes.size).toBeGreaterThan(25);
  // `not YAML: …` in the parser's words, `setting: …` in the schema's.
  for (const text of ['not YAML: {}', '{}: {}']) mistakes.delete(text);
  // Names alone.
  for (const text of ['manifest.json: {}', 'http://127.0.0.1:{}', '{}{}\\n']) found.delete(text);
  expect(
    [...found, ...refused, ...mistakes].map(asOne).filter((text) => /[a-z]/.test(text) && !known.has(text)),
  ).toEqual([]);
});

test('a text that comes with its values filled in is told in the language of the locale', () => {
  expect(inWordsOf('0.1.0, up 12 s, idle', inJapan)).toBe('0.1.0、起動から 12 秒、idle');
  expect(inWordsOf('0.1.0, up 12 s, idle', { LANG: 'C.UTF-8' })).toBe('0.1.0, up 12 s, idle');
  expect(inWordsOf('words of somebody else', inJapan)).toBe('words of somebody else');
});

test('what the doctor found is told in the language of the locale, too', () => {
  expect(inWordsOf('/usr/lib/uketsuke/src/main.ts and 2 more', inJapan)).toBe(
    '/usr/lib/uketsuke/src/main.ts ほか 2 件',
  );
  expect(inWordsOf("/srv/oqs: not uketsuke-agent's", inJapan)).toBe('/srv/oqs: 持ち主が uketsuke-agent ではない');
});

test('a file that is not there is told as that, with its whole path', () => {
  const error = Object.assign(new Error("ENOENT: no such file or directory, open 'clinic.yaml'"), {
    code: 'ENOENT',
    path: 'clinic.yaml',
  });
  expect(reasonOf(error, inJapan)).toBe(`${resolve('clinic.yaml')} がありません`);
  expect(reasonOf(error, { LANG: 'C' })).toBe(`${resolve('clinic.yaml')}: there is no such file or folder`);
});

/** The command that these words name; fails for a command or an option that this program does not have. */
const commandNamed = async (words: string): Promise<Command | undefined> => {
  const [first = '', ...rest] = words.split(' ');
  const program = new Command('uketsuke').enablePositionalOptions();
  (await commands[first as keyof typeof commands]?.load())?.register(program);
  let command: Command | undefined = program.commands.find((each) => each.name() === first);
  expect(command, `uketsuke ${words}`).toBeDefined();
  for (const word of rest) {
    const below: Command | undefined = command?.commands.find((each) => each.name() === word);
    if (below !== undefined) command = below;
    else if (word.startsWith('--'))
      expect(command?.options.map(({ long }) => long).concat('--help'), words).toContain(word);
    else if (command?.commands.length && !words.includes('--')) expect.fail(`uketsuke ${words}: no command ${word}`);
  }
  return command;
};

test('the commands of every remedy are commands of this program, with options that it has', async () => {
  const asked = faultNames.flatMap((name) =>
    faultOf(name).remedy.flatMap((step) => [...step.matchAll(/`uketsuke ([^`]+)`/g)].map(([, words = '']) => words)),
  );
  expect(new Set(asked).size).toBeGreaterThan(5);
  // Whoever runs a command that only has others below it is told of those.
  for (const words of new Set(asked)) expect((await commandNamed(words))?.commands, words).toEqual([]);
});

test('the commands of every document are commands of this program, with options that it has', async () => {
  const asked = globSync(['README.md', '*/README.md', 'docs/*.md']).flatMap((file) =>
    // `record | replay`, `add, revoke`: the first of what may be said.
    [...readFileSync(file, 'utf8').matchAll(/\buketsuke(?:\.cmd)? ([a-z][a-z-]*(?: [^`\s|,<]+)*)(?=[^`\n]*`)/g)].map(
      ([, words = '']) => words,
    ),
  );
  expect(new Set(asked).size).toBeGreaterThan(50);
  for (const words of new Set(asked)) await commandNamed(words);
});

test('a translation keeps what is filled in and the names that are typed', () => {
  for (const [english, text] of Object.entries(japanese)) {
    const names = (of: string): string[] => (of.match(/\{\w+\}/g) ?? []).sort();
    expect(names(text), english).toEqual(names(english));
  }
});

test('the locale decides: Japanese where it is, English elsewhere, and nothing in JSON changes', () => {
  expect(inWords('enrolled: {device}', { device: 'terminal-01' }, inJapan)).toBe('登録しました: terminal-01');
  expect(inWords('enrolled: {device}', { device: 'terminal-01' }, { LANG: 'C.UTF-8' })).toBe('enrolled: terminal-01');
  expect(inWords('enrolled: {device}', { device: 'x' }, { LC_ALL: 'C', LANG: 'ja_JP.UTF-8' })).toBe('enrolled: x');
  expect(inWords('a text that nobody translated', {}, inJapan)).toBe('a text that nobody translated');
});

test('the doctor says cause, remedy and who in Japanese', () => {
  const { weight, remedy, ...fault } = faultOf('screen.no-page');
  const diagnosis = { check: 'screen', state: weight, fault: 'screen.no-page', detail: '', ...fault } as const;
  const told = printDiagnoses([{ ...diagnosis, remedy: remedy.join('; '), steps: remedy, party: 'terminal' }], (text) =>
    inWords(text, {}, inJapan),
  );
  expect(told).toContain('画面のブラウザーがつながっていません');
  expect(told).toContain('スタッフ');
  expect(told).not.toMatch(/cause|remedy|restart the/);
});
