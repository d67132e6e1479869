import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ZodError } from 'zod';

/*
 * What the command line says to people. The English text is the key; the Japanese ones stand together in texts.ja.json,
 * which a test holds complete. JSON output has no texts in it that change with the language.
 */

type Values = Readonly<Record<string, string | number>>;

export const speaksJapanese = ({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv = process.env): boolean =>
  /^ja/i.test(LC_ALL || LC_MESSAGES || LANG || '');

let catalogue: Readonly<Record<string, string>> | undefined;
const japanese = (): Readonly<Record<string, string>> => {
  catalogue ??= JSON.parse(readFileSync(new URL('./texts.ja.json', import.meta.url), 'utf8')) as Record<string, string>;
  return catalogue;
};

/** In Japanese, whatever the locale; a text without a translation stays English. */
export const japaneseOf = (english: string): string => japanese()[english] ?? english;

/** `english` in the language of the locale, its `{names}` filled in. A text without a translation stays English. */
export const inWords = (english: string, values: Values = {}, environment: NodeJS.ProcessEnv = process.env): string =>
  ((speaksJapanese(environment) ? japanese()[english] : undefined) ?? english).replaceAll(/\{(\w+)\}/g, (all, name) =>
    String(values[name] ?? all),
  );

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

const place = /\{\w+\}/;
const fixedLength = (english: string): number => english.split(place).join('').length;
/** The texts with places for values, those with more words of their own first; nothing is known by two or three letters. */
const madeOfValues = (): readonly string[] =>
  Object.keys(japanese())
    .filter((english) => place.test(english) && fixedLength(english) > 3)
    .sort((one, other) => fixedLength(other) - fixedLength(one));

/**
 * What zod says of a value itself, where a schema has no words of its own for it. Not where programs read what comes of it:
 * JSON is the same in every language.
 */
export const schemasInWords = async (
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> => {
  if (!speaksJapanese(environment) || args.includes('--json')) return;
  const { z } = await import('zod');
  z.config(z.locales.ja());
};

/** A mistake in a file that a person wrote: its place, what is wrong, what was perhaps meant (`printProblems`). */
const mistake = /^(.+?:\d+:\d+): (.+?)(?: \(did you mean "([^"]+)"\?\))?$/;

/** `reason` is a text of the catalogue, or `setting: text`. */
const reasonInWords = (reason: string, environment: NodeJS.ProcessEnv): string => {
  const said = inWordsOf(reason, environment);
  const [, setting, text] = said === reason ? (/^([^:]+): (.+)$/.exec(reason) ?? []) : [];
  return setting === undefined || text === undefined
    ? said
    : `${inWordsOf(setting, environment)}: ${reasonInWords(text, environment)}`;
};

/**
 * A text that comes with its values filled in (a refusal, what the doctor found, a mistake in a file), in the language of
 * the locale: by the one of the catalogue's texts that it is made from. Another stays as it is.
 */
export const inWordsOf = (told: string, environment: NodeJS.ProcessEnv = process.env): string => {
  if (!speaksJapanese(environment)) return told;
  const whole = japanese()[told];
  if (whole !== undefined) return whole;
  const [, at, reason, nearest] = mistake.exec(told) ?? [];
  if (at !== undefined && reason !== undefined) {
    const meant = nearest === undefined ? '' : inWords(' (did you mean "{nearest}"?)', { nearest }, environment);
    return `${at}: ${reasonInWords(reason, environment)}${meant}`;
  }
  for (const english of madeOfValues()) {
    const parts = english.split(place).map(escaped);
    const found = new RegExp(`^${parts.join('(.+?)')}$`, 's').exec(told);
    if (found === null) continue;
    const names = [...english.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    return inWords(
      english,
      Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? ''])),
      environment,
    );
  }
  return told;
};

/** The system's own words name a call of Node; these, what is to be done. */
const ofSystem = ({ code, syscall }: NodeJS.ErrnoException): string | undefined => {
  switch (code) {
    case 'ENOENT':
      if (syscall === 'mkdir')
        return '{path}: no folder can be made here: what lies above it, or where a link leads, is not there or takes none. Name another place, or connect the disk or share first';
      return '{path}: there is no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return '{path}: no right to it: as root (sudo)?';
    case 'ENOSPC':
      return '{path}: the disk is full';
    case 'EROFS':
      return '{path}: the disk is read-only';
    case 'ENOTDIR':
      return '{path}: a folder is expected';
    case 'EISDIR':
      return '{path}: a file is expected';
    case 'EEXIST':
      return '{path} is there already';
    case 'EIO':
    case 'ENXIO':
    case 'ENODEV':
    case 'ESTALE':
    case 'EHOSTDOWN':
      return '{path}: the disk, stick or share does not answer: was it pulled, or is it failing?';
    case 'ELOOP':
      return '{path}: a link that leads to itself';
    case 'ENAMETOOLONG':
      return '{path}: the name is too long';
    case 'EBUSY':
    case 'ETXTBSY':
      return '{path}: another program has it open';
    default:
      return undefined;
  }
};

/** Mistakes in a file are a line each. */
export const linesInWords = (told: string, environment: NodeJS.ProcessEnv = process.env): string =>
  told
    .split('\n')
    .map((line) => inWordsOf(line, environment))
    .join('\n');

/** Why something was not done, for whoever typed the command. */
export const reasonOf = (error: unknown, environment: NodeJS.ProcessEnv = process.env): string => {
  if (!(error instanceof Error)) return linesInWords(String(error), environment);
  const { path, code, port } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code === 'EADDRINUSE' && port !== undefined)
    return inWords('port {port}: another program listens there: stop it, or name another port', { port }, environment);
  const known = path === undefined ? undefined : ofSystem(error);
  // In full: whoever reads it may stand elsewhere than the command thought.
  if (known !== undefined) return inWords(known, { path: resolve(path ?? '') }, environment);
  return linesInWords(error.message, environment);
};

/** Why a command does not do what it was asked, in the language of the locale. */
export const complain = (command: string, reason: unknown): boolean =>
  process.stderr.write(`uketsuke ${command}: ${reasonOf(reason)}\n`);

/** The same, and the end of the process. */
export const refuse = (command: string, reason: unknown, status = 2): never => {
  complain(command, reason);
  process.exit(status);
};

/** What a command or the system refuses, and no fault of the program: a TypeError keeps its stack. */
export const isOfPeople = (error: unknown): boolean =>
  error instanceof Error && (error.constructor === Error || typeof (error as NodeJS.ErrnoException).errno === 'number');

const isOfSchema = (error: unknown): error is ZodError => error instanceof Error && 'issues' in error;

/** Mistakes of whoever runs `uketsuke <command>` are one line, not a stack; the exit status is 2. */
export const explained =
  (command: string) =>
  <A extends unknown[]>(work: (...args: A) => Promise<void>) =>
  async (...args: A): Promise<void> => {
    try {
      await work(...args);
    } catch (error) {
      refuse(command, isOfSchema(error) ? (await import('zod')).z.prettifyError(error) : error);
    }
  };

/** One line for a person: standard error, for standard output belongs to programs. */
export const tell = (english: string, values: Values = {}): boolean =>
  process.stderr.write(`${inWords(english, values)}\n`);
