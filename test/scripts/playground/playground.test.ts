import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPlayground } from '../../../scripts/playground/build.ts';
import { openBuiltPage, policyBites } from '../../../scripts/playground/check.ts';
import { choicesOf, hashOf } from '../../../scripts/playground/page/choices.ts';

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-playground-'));
beforeAll(() => buildPlayground(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const languages = ['ja', 'en', 'vi'];

test('a link says every choice, and what it does not know is as nothing were said', () => {
  const link = '#patient=grace&face=other&fault=broker+dies&language=vi&size=tall';
  expect(hashOf(choicesOf(link, languages))).toBe(link);
  expect(choicesOf('#patient=toString&fault=fire&language=xx&size=', languages)).toEqual(choicesOf('', languages));
});

test('from a file, under its own strict policy: a link opens a visit with its file and its messages beside it', async () => {
  const troubles: string[] = [];
  const side = await openBuiltPage(folder, '#patient=taro&language=en', (what) => troubles.push(what));
  try {
    const { page, patient, clinic } = side;
    expect(await page.locator('#patient').inputValue()).toBe('taro');
    expect((await patient.see('idle')).language).toBe('en');
    clinic.order({ type: 'insert', persona: 'taro' });
    expect((await patient.see('choose-method')).language).toBe('en');
    await page.frameLocator('#staff').getByText('受付中').first().waitFor();
    await page.locator('#messages b', { hasText: 'lookup-result' }).first().click();
    await page.locator('#messages pre').first().waitFor();
    expect(await page.locator('#messages pre').first().textContent()).toContain('"registered"');
    clinic.order({ type: 'pull' });
    await patient.see('card-pulled');
    expect(side.refusals).toEqual([]);
    expect(troubles).toEqual([]);
    expect(await policyBites(page)).toBe(true);
  } finally {
    await side.close();
  }
});

test('a page that asks another machine is told, and one without a policy', async () => {
  writeFileSync(
    join(folder, 'asks.html'),
    '<!doctype html><div id="screen-room"></div><img src="http://127.0.0.1:9/picture.png">',
  );
  const troubles: string[] = [];
  const side = await openBuiltPage(folder, '', (what) => troubles.push(what));
  await side.page.goto(`file://${join(folder, 'asks.html')}`);
  expect(await policyBites(side.page)).toBe(false);
  await side.close();
  expect(troubles.some((what) => what.includes('http://127.0.0.1:9/picture.png'))).toBe(true);
});
