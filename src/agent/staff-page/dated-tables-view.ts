import { levelReached, type ShareRule, shareOf, shareRuleAt } from '../../core/catalogue/usage-share.ts';
import { formatJapanDate, japanDate } from '../../core/japan-time.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';

/** yyyy-MM-dd in Japan. */
const dayOf = (wallMs: number): string =>
  formatJapanDate(japanDate(wallMs)).replace(/(\d{4})(\d{2})(\d{2})/, '$1-$2-$3');

const formulaWords = {
  'people-per-receipt': 'マイナ保険証利用者数（人、月1回）÷ レセプト件数',
  'uses-per-confirmation': 'マイナ保険証利用数（回）÷ オンライン資格確認回数',
} as const;

/** A share that is not reached is never shown as if it were: 29.96 is 29.9 %. */
const shown = (percent: number): string => `${(Math.floor(percent * 10) / 10).toFixed(1)}%`;

/** What was typed in from the portal, each month held against the rule of today. */
const typedShares = (model: PageModel, rule: ShareRule): Markup => {
  const typed = [...model.context.journal.receiptShares.all].reverse();
  const month = formatJapanDate(japanDate(model.nowMs()));
  const verdict = (percent: number): Markup => {
    const level = levelReached(rule, percent);
    return level === undefined
      ? html`<span class="pill warn">基準に届いていません</span>`
      : html`<span class="pill good">${level.name} の基準を満たします</span>`;
  };
  return html`<form class="row" method="post" action="/receipt-share"><input type="hidden" name="token" value="${model.token}">
      <label>月<input name="month" type="month" required value="${month.slice(0, 4)}-${month.slice(4, 6)}"></label>
      <label>マイナ保険証利用者数（人）<input name="people" inputmode="numeric" pattern="[0-9]{1,7}" required size="9"></label>
      <label>レセプト件数<input name="receipts" inputmode="numeric" pattern="[0-9]{1,7}" required size="9"></label>
      <button>保存</button></form>
    ${
      typed.length > 0 &&
      html`<table class="numbers"><thead><tr><th scope="col">月（ポータルの値）</th><th scope="col" class="number">利用者数</th><th scope="col" class="number">レセプト件数</th><th scope="col" class="number">利用率</th><th scope="col">${rule.addition}</th></tr></thead><tbody>
      ${typed.map((one) => {
        const percent = shareOf(one.people, one.receipts) ?? 0;
        return html`<tr><td>${one.month.slice(0, 4)}年${Number(one.month.slice(4))}月</td><td class="number">${one.people}</td><td class="number">${one.receipts}</td><td class="number">${shown(percent)}</td><td>${verdict(percent)}</td></tr>`;
      })}</tbody></table>`
    }`;
};

/** Which 加算 asks for which share today, which did and until when. */
export const shareSection = (model: PageModel): Markup => {
  const { shares } = model.catalogue();
  const today = dayOf(model.nowMs());
  const now = shareRuleAt(shares, today);
  return html`<section><h2>加算の実績要件（利用率）</h2>
    ${
      now === undefined
        ? html`<p>いま適用されている要件はありません。</p>`
        : html`<p><b>${now.addition}</b>：${now.levels.map(({ name, percent, points }) => html`${name} は ${percent}% 以上${points && `（${points}）`}　`)}
          <br><span class="mute">${formulaWords[now.formula]}。支払基金のポータルで通知される値です。この受付システムの件数からは計算できません。どの月の値で届け出るかは、施設基準の通知によります。</span></p>
          ${now.formula === 'people-per-receipt' && typedShares(model, now)}`
    }
    <table class="numbers"><thead><tr><th scope="col">期間</th><th scope="col">加算</th><th scope="col">基準</th><th scope="col">出典</th></tr></thead><tbody>
    ${[...shares]
      .reverse()
      .map(
        (rule) =>
          html`<tr><td>${rule.from}〜${rule.until ?? ''}${rule !== now && rule.from <= today && html` <span class="pill quiet">終了</span>`}${rule.from > today && html` <span class="pill quiet">これから</span>`}</td><td>${rule.addition}</td><td>${rule.levels.map(({ name, percent }) => `${name}：${percent}%`).join('、')}${rule.note && html`<br><span class="mute">${rule.note}</span>`}</td><td class="mute">${rule.source}</td></tr>`,
      )}</tbody></table></section>`;
};

/** 増設補助 and 一時金: what they were, and that they are over. */
export const grantsSection = (model: PageModel): Markup => {
  const { readers, lumpSums } = model.catalogue().grants;
  const today = dayOf(model.nowMs());
  const ended = (until: string): Markup | false =>
    until < today && html` <span class="pill quiet">${until} で終了</span>`;
  return html`<section><h2>カードリーダー増設の補助${ended(readers.appliedUntil)}</h2>
    <table class="numbers"><thead><tr><th scope="col">1か月の利用件数</th>${readers.useSteps.map((uses) => html`<th scope="col" class="number">${uses}件〜</th>`)}</tr></thead><tbody>
    <tr><td>診療所・薬局</td>${readers.clinic.map((count) => html`<td class="number">${count}台</td>`)}</tr>
    ${Object.entries(readers.hospital).map(
      ([given, row]) =>
        html`<tr><td>病院（無償提供 ${given}台）</td>${row.map((count) => html`<td class="number">${count}台</td>`)}</tr>`,
    )}</tbody></table>
    <p class="mute">費用の2分の1、上限 ${readers.capYen.map((yen, index) => `${index + 1}台 ${yen.toLocaleString('ja-JP')}円`).join('、')}。${readers.source}</p></section>
    ${Object.values(lumpSums).map(
      ({ name, period, reportUntil, conditions, source }) =>
        html`<section><h2>${name}${ended(reportUntil)}</h2><p>${period.from}〜${period.until}。条件：${conditions.join('、')}。報告 ${reportUntil} まで。<span class="mute">${source}</span></p></section>`,
    )}`;
};
