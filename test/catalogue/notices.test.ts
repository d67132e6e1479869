import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { testRequest, testSettings } from '../../scripts/beds/test-facility.ts';
import { catalogueWith, checkNotice } from '../../scripts/official/check-notice.ts';
import { noticeDay } from '../../scripts/official/notice-day.ts';
import { consentTexts } from '../../src/agent/intake/consent-texts.ts';
import { firstFacilitySettings } from '../../src/catalogue/first-settings.ts';
import { catalogueAt, catalogueDir, catalogueOfVersion, refusedNotices } from '../../src/catalogue/load-catalogue.ts';
import { askedTopics, questionsOf } from '../../src/core/catalogue/consent.ts';
import { shareRuleAt } from '../../src/core/catalogue/usage-share.ts';
import { facilityKinds } from '../../src/wire/facility-settings.ts';

const noticeFile = join(import.meta.dirname, '..', 'fixtures', 'notices', '2027-04-01.json');
const beginsMs = Date.parse('2027-04-01T00:00:00+09:00');
type Content = Record<string, unknown> & {
  consents: { items: { code: string; carries: string[] }[]; prefixes: { name: string; after: string }[] };
  texts: Record<string, Record<string, string>>;
};
const made: string[] = [];
const withNotice = (change: (content: Content) => void = () => {}): string => {
  const dir = mkdtempSync(join(tmpdir(), 'uketsuke-notices-'));
  made.push(dir);
  cpSync(catalogueDir, dir, { recursive: true });
  const content = JSON.parse(readFileSync(noticeFile, 'utf8')) as Content;
  change(content);
  mkdirSync(join(dir, 'notices'), { recursive: true });
  writeFileSync(join(dir, 'notices', '2027-04-01.json'), JSON.stringify(content));
  return dir;
};
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

describe('a notice in one file', () => {
  it('holds from its midnight on, and not a millisecond before', () => {
    const dir = withNotice();
    const [before, after] = [catalogueAt(beginsMs - 1, dir), catalogueAt(beginsMs, dir)];
    expect(before).toEqual(catalogueAt(Date.parse('2026-12-01T00:00:00Z'), dir));
    expect(before.nextChangeMs).toBe(beginsMs);
    expect(after.version).not.toBe(before.version);
    expect(after.version.length).toBeLessThanOrEqual(40);
    expect(after.consents.items.map(({ code }) => code)).toEqual(['SRJ', 'YZK', 'TKK', 'SHJ', 'YBS']);
    expect(after.consents.prefixes.slice(-2)).toEqual(['InfectiousInfo', 'VaccinationInfo']);
    for (const language of Object.keys(before.languages)) {
      expect(after.languages[language]?.texts['subject.vaccination'], language).toBeTruthy();
      expect(after.languages[language]?.texts['subject.checkup']).not.toBe(
        before.languages[language]?.texts['subject.checkup'],
      );
      expect(after.languages[language]?.texts['idle.heading']).toBe(before.languages[language]?.texts['idle.heading']);
    }
    expect(after.failures['eligibility.unavailable'].staff.cause).toMatch(/2027年4月/);
    expect(after.failures['reader.lost']).toEqual(before.failures['reader.lost']);
    expect(shareRuleAt(after.shares, '2027-03-31')?.levels[0]?.percent).toBe(30);
    expect(shareRuleAt(after.shares, '2027-04-01')?.levels[0]?.percent).toBe(50);
  });

  it('drives question, default and order: the new item is asked where no setting says otherwise', () => {
    const dir = withNotice();
    const { consents } = catalogueAt(beginsMs, dir);
    const ids = (asks: Record<string, boolean>): string[] =>
      askedTopics(consents, { ...testSettings, asks }).map(({ id }) => id);
    expect(ids({})).toEqual(['records', 'checkup', 'vaccination']);
    expect(ids({ YBS: false, SHJ: true })).toEqual(['records', 'checkup', 'surgery']);
  });

  it('leaves yesterday’s requests checkable, whenever they are looked at', () => {
    const dir = withNotice();
    const { version } = catalogueAt(beginsMs - 1, dir);
    const known = catalogueOfVersion(version, dir);
    if (known === undefined) throw new Error('unknown version');
    const [consent] = testRequest({ issuedAt: beginsMs - 1 }).consents;
    if (consent === undefined) throw new Error('no consent');
    expect(consentTexts([known]).isShown({ ...consent, catalogueVersion: version })).toBe(true);
    expect(consentTexts([catalogueAt(beginsMs, dir)]).isShown({ ...consent, catalogueVersion: version })).toBe(false);
    expect(catalogueOfVersion('2019-01-01+never', dir)).toBeUndefined();
  });

  it.each<[string, (content: Content) => void, RegExp]>([
    [
      'a prefix that is neither known nor declared',
      ({ consents }) => {
        consents.prefixes = [];
      },
      /YBS carries VaccinationInfo, which is neither known nor declared/,
    ],
    [
      'a prefix that two items carry',
      ({ consents }) => void consents.items[0]?.carries.push('TestInfo', 'SpecificHealthCheckupsInfo'),
      /SpecificHealthCheckupsInfo is carried by SRJ and TKK/,
    ],
    [
      'a language that was forgotten',
      ({ texts }) => {
        delete texts.ne;
      },
      /texts\/ne: subject.vaccination is missing/,
    ],
    [
      'a date that is none',
      (content) => {
        content.validFrom = 'next spring';
      },
      /validFrom/,
    ],
  ])('is refused as a whole for %s, told beforehand, and what held before goes on', (_name, change, reason) => {
    const dir = withNotice(change);
    const after = catalogueAt(beginsMs, dir);
    expect(after.consents.items.map(({ code }) => code)).toEqual(['SRJ', 'YZK', 'TKK', 'SHJ', 'TSR']);
    expect(after.failures['eligibility.unavailable'].staff.cause).not.toMatch(/2027年4月/);
    expect(after.languages.en?.texts['subject.checkup']).toBe(
      catalogueAt(beginsMs - 1).languages.en?.texts['subject.checkup'],
    );
    const told = refusedNotices(Date.parse('2026-12-01T00:00:00Z'), dir).join('\n');
    expect(told).toMatch(/^catalogue.notice-refused: /);
    expect(told).toMatch(reason);
  });

  it('is checked beforehand: languages, readings, recordings', () => {
    const whole = checkNotice(noticeFile);
    expect(whole).toMatchObject({ refused: [], untranslated: {}, withoutReading: {} });
    expect(whole.withoutSpeech.ja).toBeGreaterThan(0);

    const dir = withNotice((content) => {
      delete content.texts.vi?.['subject.checkup'];
      content.readings = {};
    });
    const poor = checkNotice(join(dir, 'notices', '2027-04-01.json'));
    expect(poor.refused).toEqual([]);
    expect(poor.untranslated).toEqual({ vi: ['subject.checkup'] });
    expect(poor.withoutReading.ja).toContain('subject.vaccination');
  });

  it('lies in no installation by itself: the fixture is copied for the check alone', () => {
    const dir = catalogueWith(noticeFile);
    made.push(dir);
    expect(catalogueAt(beginsMs, dir).consents.items).toHaveLength(5);
    expect(catalogueAt(beginsMs).consents.items.map(({ code }) => code)).not.toContain('YBS');
  });
});

it('over its midnight: no restart, no wrong question, terminal and agent agree though their clocks do not', async () => {
  const { visits: _visits, ...figures } = await noticeDay();
  expect(figures).toEqual({
    changedFiles: { code: 0, data: 1 },
    restarts: 0,
    visitsAcross: 15,
    wrongQuestions: 0,
    wrong: [],
  });
});

describe('kinds of facilities', () => {
  const { consents } = catalogueAt(Date.parse('2026-12-01T00:00:00Z'));
  const first = (kind: (typeof facilityKinds)[number]) => firstFacilitySettings(consents, kind, '試験', '1312345678');

  it.each(facilityKinds)('%s begins with the catalogue’s defaults: 手術 and 診療情報 off', (kind) => {
    expect(first(kind)).toMatchObject({
      institutionType: kind,
      asks: { TKK: true, YZK: true, SRJ: false, SHJ: false, TSR: false },
      medicalSubsidy: false,
      referralDocuments: false,
    });
  });

  const lookup = {
    facility: 'clinic',
    device: 'lane-1',
    lookupId: '7a3c5cf8-94a8-4d07-9d5c-3d1d4f2f7f0e',
    registered: 'yes',
    certificateStatus: 'good',
    medicalSubsidy: false,
    prescription: { use: 1, timing: 2 },
    pendingDocuments: [{ id: 'p1', title: '電子処方箋', from: '見本医院', date: '2026-11-20' }],
  } as const;
  const kindsOf = (kind: (typeof facilityKinds)[number]): string[] =>
    questionsOf(
      consents,
      { ...first(kind), referralDocuments: true },
      { ...lookup, pendingDocuments: [...lookup.pendingDocuments] },
      'valid',
    ).map((question) => question.kind);

  it('a 薬局 is not asked for the form of the prescription, but which waiting ones to dispense', () => {
    expect(kindsOf('pharmacy')).toEqual(['consent-bundle', 'waiting-prescriptions', 'summary']);
    expect(kindsOf('medical')).toEqual(['consent-bundle', 'prescription-form', 'referral-documents', 'summary']);
    expect(kindsOf('dental')).toEqual(kindsOf('medical'));
    expect(kindsOf('visiting-nurse')).toEqual(['consent-bundle', 'referral-documents', 'summary']);
  });
});
