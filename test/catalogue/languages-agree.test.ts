import { describe, expect, it } from 'vitest';
import { andOthers } from '../../scripts/words/check-words.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { facilityKinds } from '../../src/wire/facility-settings.ts';

const { languages } = catalogueAt(Date.now());

describe.each(Object.keys(languages))('%s', (language) => {
  const texts = languages[language]?.texts ?? {};

  it('asks for the same scope as the Japanese does, whatever kind of facility asks', () => {
    for (const heading of ['consent.heading', 'consent.item-heading'])
      for (const kind of facilityKinds)
        expect(texts[`${heading}.${kind}`], `${heading}.${kind}`).toMatch(andOthers[language] ?? /$never/);
  });

  it('writes all figures alike: what is filled in has the digits 0-9', () => {
    for (const [key, text] of Object.entries(texts)) expect(text, key).not.toMatch(/[०-९]/);
  });
});

it('has no word that was found to be wrong', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['ko', /수료증/],
    ['zh-Hans', /叫号|等候呼叫/],
    ['zh-Hant', /叫號|等候呼叫/],
    ['en', /Do you apply/],
    ['pt', /ser chamado|será chamado|Será atendido|Fique parado/],
    // A choice that leans to yes, a check-in that sounds done, a bill waived, a phone's own lock, a card to put in again.
    ['ko', /이용에 대해 확인|절차를 마쳤|스마트폰의 비밀번호/],
    ['zh-Hans', /确认诊疗|手续结束|智能手机的密码/],
    ['zh-Hant', /確認診療|手續結束|智慧型手機的密碼/],
    ['en', /check-in has ended|PIN of your smartphone/],
    ['vi', /Xin xác nhận việc|thủ tục kết thúc|PIN của điện thoại/],
    ['pt', /Confirme o uso|check-in terminou|senha do celular/],
    ['tl', /Tingnan ang paggamit|kaya natapos|buong halaga dahil dito|PIN ng smartphone|ang card\. Ilagay ulit\./],
    ['ne', /प्रयोगबारे हेर्|यसका कारण पूरा रकम|स्मार्टफोनको पिन|कार्ड चल्यो, फेरि/],
  ];
  for (const [language, words] of wrong)
    for (const [key, text] of Object.entries(languages[language]?.texts ?? {}))
      expect(text, `${language} ${key}`).not.toMatch(words);
});
