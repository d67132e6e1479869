import { expect, test } from 'vitest';
import { partyView } from '../../../src/agent/staff-page/party-view.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { readQrPicture } from '../../../src/cli/await-enrolment.ts';
import { type FailureCode, failure, failureRules } from '../../../src/core/failure.ts';
import { partyOf } from '../../../src/core/party.ts';
import { codeBody } from '../../../src/core/screen/draw-screen-failure.ts';

const sinceMs = Date.parse('2026-11-30T00:30:00Z');
const catalogue = catalogueAt(sinceMs);
const scale = 4;

/** What a telephone reads of the picture, `scale` pixels a module. */
const readOf = (svg: string): Promise<string | null> => {
  const width = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]) * scale;
  const rgb = new Uint8Array(width * width * 3).fill(255);
  for (const [, x, y] of svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
    for (let row = 0; row < scale; row += 1) {
      const at = ((Number(y) * scale + row) * width + Number(x) * scale) * 3;
      rgb.fill(0, at, at + scale * 3);
    }
  return readQrPicture(rgb, width, width);
};

const told = (Object.keys(failureRules) as FailureCode[]).flatMap((code) => {
  const party = partyOf(code, 'terminal');
  return party === null ? [] : [{ code, party }];
});

test.each(told)(
  '$code: the page names $party as the screen does, says whom to telephone, and its picture reads as the screen’s',
  async ({ code, party }) => {
    const page = partyView({ catalogue: () => catalogue }, code, party, { lane: 3, sinceMs }).text;
    const screen = codeBody({ catalogue, lane: 3 }, failure(code), sinceMs);
    const { name, call } = catalogue.parties[party];
    expect(screen.lines.at(-1)).toBe(name);
    expect(page).toContain(`<b>${name}</b>`);
    expect(page).toContain(call);
    if (party === 'card') expect([screen.qr, page.includes('<svg')]).toEqual([null, false]);
    else {
      expect(await readOf(page)).toBe(screen.qr);
      expect(page).toContain(`<span class="code">${screen.qr}</span>`);
    }
  },
);
