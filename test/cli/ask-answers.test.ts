import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { acceptModels, answersBy, askUntilItFits } from '../../src/cli/provision-clinic.ts';
import { reasonOf } from '../../src/cli/say.ts';

test('an answer that does not fit is asked for again at once', async () => {
  const typed = ['131234567', 'x', '1312345678', 'never asked for'];
  const asked = async (): Promise<string> => typed.shift() ?? '';
  expect(await askUntilItFits(asked, z.string().regex(/^\d{10}$/))).toBe('1312345678');
  expect(typed).toEqual(['never asked for']);
});

test('a number is read as what it stands for, a word that is one of them as itself', async () => {
  const kinds = ['medical', 'dental'] as const;
  const read = (typed: string): unknown => kinds[Number(typed) - 1] ?? typed;
  expect(await askUntilItFits(async () => '2', z.enum(kinds), read)).toBe('dental');
  expect(await askUntilItFits(async () => 'medical', z.enum(kinds), read)).toBe('medical');
});

test('mistakes of a file are told a line each, in the language of the locale', () => {
  const error = new Error('a.yaml:4:18: institutionCode: 10 digits, in quotes\na.yaml:1:1: kind is missing');
  expect(reasonOf(error, { LANG: 'ja_JP.UTF-8' })).toBe(
    'a.yaml:4:18: institutionCode: 10 桁の数字を引用符で囲んでください\na.yaml:1:1: kind がありません',
  );
  expect(reasonOf(error, { LANG: 'C' })).toBe(error.message);
});

test('whoever was asked and accepts no face models reads the notice about them once', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const typed = ['clinic-0001', '見本医院', '1312345678', '1', '1', ''];
  const answers = await answersBy(async () => typed.shift() ?? '');
  expect(await acceptModels(answers)).toEqual([]);
  const told = written.mock.calls.map(([text]) => String(text));
  written.mockRestore();
  expect(typed).toEqual([]);
  expect(told.filter((text) => text.includes('faceModelsAcceptedBy'))).toHaveLength(1);
});
