import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogueAt, catalogueDir, refusedNotices } from '../../src/catalogue/load-catalogue.ts';
import { failureRules } from '../../src/core/failure.ts';

const now = Date.parse('2026-11-21T00:00:00Z');
const catalogue = catalogueAt(now);

/** A copy of the catalogue with one file changed. */
const changed = (file: string, change: (content: Record<string, unknown>) => void, as = file): string => {
  const dir = mkdtempSync(join(tmpdir(), 'uketsuke-catalogue-'));
  cpSync(catalogueDir, dir, { recursive: true });
  const content = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Record<string, unknown>;
  change(content);
  writeFileSync(join(dir, as), JSON.stringify(content));
  return dir;
};

describe('the catalogue', () => {
  it('has the five consents with what rides on them', () => {
    expect(catalogue.consents.items.map((item) => [item.code, item.carries, item.facilityDefault])).toEqual([
      ['SRJ', ['DiagnosisInfo', 'AllergyInfo', 'ContraindicationInfo', 'TestInfo'], false],
      ['YZK', ['PharmacistsInfo', 'PrescriptionInfo'], true],
      ['TKK', ['SpecificHealthCheckupsInfo'], true],
      ['SHJ', ['OperationInfo', 'DiagnosisName', 'InfectiousInfo'], false],
      ['TSR', ['SpecificDiseasesCertificateRelated'], false],
    ]);
    expect(catalogue.consents.validityMs).toBe(24 * 3_600_000);
  });

  it('tells patient, staff and technician something about every failure', () => {
    const files = JSON.parse(readFileSync(join(catalogueDir, 'failures', '2024-10-07.json'), 'utf8')) as {
      failures: Record<string, { patientText: string }>;
    };
    expect(Object.keys(files.failures).sort()).toEqual(Object.keys(failureRules).sort());
    for (const language of Object.values(catalogue.languages))
      for (const [code, entry] of Object.entries(catalogue.failures))
        expect(language.texts[`failure.${entry.patientText}`], `${language.language} ${code}`).toBeTruthy();
  });

  it('keeps what is not public visibly unknown', () => {
    expect(catalogue.notices.filter((notice) => notice.name === null).map((notice) => notice.number)).toEqual([
      '003',
      '004',
      '005',
    ]);
    const numbers = Object.values(catalogue.failures).flatMap(({ notice }) =>
      notice === null ? [] : [notice.slice(1, 4)],
    );
    expect([...new Set(numbers)].sort()).toEqual(['001', '002', '006']);
  });

  it('tells 失効 and 期限切れ apart for staff, though the notice is one', () => {
    const [expired, revoked] = [
      catalogue.failures['card.certificate-expired'],
      catalogue.failures['card.certificate-revoked'],
    ];
    expect(expired.notice).toBe(revoked.notice);
    expect(expired.staff.summary).not.toBe(revoked.staff.summary);
  });

  it('has the words of poster, notices and promises as they are', () => {
    const all = Object.values(catalogue.languages.ja?.texts ?? {});
    for (const official of [
      'マイナンバーカードをカードリーダーに置いてください。',
      '顔認証または4桁の暗証番号を入力してください。',
      '診察室等での診療・服薬・健診情報の利用について確認してください。',
      'お呼びするまでお待ちください。カードを忘れずに！',
      '同意する',
      '同意しない',
      '提供する',
      '提供しない',
      '医療費助成の各種受給者証を利用しますか。',
      '利用する',
      '証明書の有効期限が3か月以内となっています。市区町村の窓口で更新手続きをお願いします。',
      '今日 提供する情報',
      '今日 提供しない情報',
    ])
      expect(all).toContain(official);
    expect(all.some((text) => text.includes('顔写真は機器に保存されません'))).toBe(true);
    expect(all.some((text) => text.includes('マイナンバー(12桁の数字)を取り扱うことはありません'))).toBe(true);
  });

  it('takes the newest file that has begun, and not before it begins', () => {
    const dir = changed(
      'consents/2024-10-07.json',
      (content) => {
        content.version = 'next-notice';
        content.validFrom = '2027-04-01T00:00:00+09:00';
      },
      'consents/2027-04-01.json',
    );
    const begins = Date.parse('2027-04-01T00:00:00+09:00');
    expect(catalogueAt(begins - 1, dir).consents.version).toBe('2024-10-07.1');
    expect(catalogueAt(begins, dir).consents.version).toBe('next-notice');
    // A clock without a battery: the first notice holds, nobody crashes.
    expect(catalogueAt(Date.parse('1970-01-01T00:00:00Z'), dir).consents.version).toBe('2024-10-07.1');
    rmSync(dir, { recursive: true });
  });

  it('changes the words of a language from the day a notice names, and the version with them', () => {
    const dir = changed(
      'texts/ja.json',
      (content) => {
        content.version = '2027-04-01';
        content.validFrom = '2027-04-01T00:00:00+09:00';
        (content.texts as Record<string, string>)['control.agree'] = '同意します';
      },
      'texts/ja.2027-04-01.json',
    );
    const begins = Date.parse('2027-04-01T00:00:00+09:00');
    const [before, after] = [catalogueAt(begins - 1, dir), catalogueAt(begins, dir)];
    expect([before, after].map(({ languages }) => languages.ja?.texts['control.agree'])).toEqual([
      '同意する',
      '同意します',
    ]);
    expect(before.version).toBe(catalogueAt(begins - 1).version);
    expect(after.version).toBe(`${catalogue.consents.version}+2027-04-01`);
    expect(after.languages.en).toEqual(before.languages.en);
    rmSync(dir, { recursive: true });
  });

  it('takes maintenance windows from every file that announces some', () => {
    const window = {
      areas: [],
      from: '2026-12-01T00:00:00+09:00',
      until: '2026-12-01T05:00:00+09:00',
      announceHours: 24,
    };
    const dir = changed(
      'maintenance/announced.json',
      (content) => {
        content.windows = [window];
      },
      'maintenance/2026-12.json',
    );
    expect(catalogueAt(now, dir).maintenance).toHaveLength(1);
    rmSync(dir, { recursive: true });
  });

  it('tells of a maintenance window that ends before it begins, and goes on without', () => {
    const dir = changed('maintenance/announced.json', (content) => {
      content.windows = [
        { areas: [], from: '2026-12-01T01:00:00+09:00', until: '2026-12-01T00:00:00+09:00', announceHours: 24 },
      ];
    });
    expect(catalogueAt(now, dir).maintenance).toEqual([]);
    expect(refusedNotices(now, dir).join()).toMatch(/announced.json[\s\S]*ends after it begins/);
    rmSync(dir, { recursive: true });
  });

  it.each([
    [
      'a consent code nobody knows',
      'consents/2024-10-07.json',
      (content: Record<string, unknown>) => {
        (content.items as { code: string }[])[0] = { ...(content.items as { code: string }[])[0], code: 'XXX' };
      },
      /code/,
    ],
    [
      'a question without a name for what is asked',
      'consents/2024-10-07.json',
      (content: Record<string, unknown>) => {
        (content.questions as { subjects: Record<string, string> }[])[1] = {
          ...(content.questions as { subjects: Record<string, string> }[])[1],
          subjects: { TKK: 'nameless' },
        };
      },
      /nameless/,
    ],
    [
      'a missing text',
      'texts/en.json',
      (content: Record<string, unknown>) => {
        delete (content.texts as Record<string, string>)['idle.heading'];
      },
      /en: idle.heading/,
    ],
    [
      'a lost placeholder',
      'texts/en.json',
      (content: Record<string, unknown>) => {
        (content.texts as Record<string, string>)['pin.tries'] = 'You can try again.';
      },
      /pin.tries/,
    ],
  ])('stops the start at %s', (_name, file, change, message) => {
    const dir = changed(file, change);
    expect(() => catalogueAt(now, dir)).toThrow(message);
    rmSync(dir, { recursive: true });
  });

  it('is the only place with words: page and drawing have none of their own', () => {
    const root = join(import.meta.dirname, '..', '..', 'src');
    const files = [
      ...readdirSync(join(root, 'screens')).map((name) => join(root, 'screens', name)),
      ...readdirSync(join(root, 'core')).map((name) => join(root, 'core', name)),
    ].filter((path) => /draw-screen.*\.ts$|screens\/.*\.tsx?$/.test(path));
    expect(files.length).toBeGreaterThan(10);
    for (const path of files) {
      const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      expect(code, path).not.toMatch(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u);
      // Text between tags that is more than a sign or an expression
      expect(code, path).not.toMatch(/>\s*[A-Za-z]{3,}[^<>{}=;()]*<\//);
    }
  });
});
