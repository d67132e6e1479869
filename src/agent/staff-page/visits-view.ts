import { type ValidityCase, validityCases } from '../../core/catalogue/desk-order.ts';
import { japanDate, startOfJapanDay } from '../../core/japan-time.ts';
import { delays } from '../../core/visit/delays.ts';
import type { DeskEvents } from '../journal/desk-events.ts';
import type { JournalVisit, TodayNote } from '../journal/journal.ts';
import { failureSteps, otherWays } from './desk-order-view.ts';
import { failureTexts } from './failure-texts.ts';
import { html, type Markup } from './html.ts';
import { isFilledByNow } from './names-view.ts';
import type { PageModel } from './page-model.ts';
import { certificateNotice } from './renewal-view.ts';
import { dayAndTimeText, methodWords, noticeText, outcomeWords, timeText } from './words.ts';

const failureText = (model: PageModel, code: string): Markup => {
  const entry = failureTexts(model, code);
  return html`${entry?.staff.summary ?? '受け付けられませんでした'} <span class="code">${entry?.notice} ${code}</span>
    ${failureSteps(model, entry?.staff.steps ?? [], code)}`;
};

const stillAskedText = (model: PageModel, code: string): Markup =>
  html`${failureTexts(model, code)?.staff.summary} <span class="code">${code}</span>
    <p>${model.catalogue().desk.validity['not-asked'].next}</p>
    ${otherWays(model, code)}`;

/** How the 資格 stands, told apart: each of the service's six words, not applied for, not heard yet. */
const validityCaseOf = (visit: JournalVisit): ValidityCase | null => {
  if (visit.outcome === 'failed' && visit.code === 'eligibility.not-registered') return 'not-registered';
  if (isStillAsked(visit)) return 'not-asked';
  const validity = String(visit.qualificationValidity);
  return validityCases.find((each) => each === validity) ?? null;
};

/** Later than the patient was asked to wait at the terminal, for us or for the service: they had been sent to the desk. */
const isLate = ({ issuedAt, receivedAt, finishedAt, outcome, lateAt }: JournalVisit, offlineMs: number): boolean =>
  lateAt !== null ||
  receivedAt - issuedAt > offlineMs ||
  (outcome !== null && outcome !== 'failed' && (finishedAt ?? 0) - receivedAt > delays.resultMs);

/** The patient was told that no answer came; the question stands. */
const isStillAsked = ({ outcome, handedOverAt, givenUpAt }: JournalVisit): boolean =>
  outcome === 'failed' && handedOverAt === null && givenUpAt === null;

const outcomePill = (visit: JournalVisit, model: PageModel): Markup => {
  if (visit.verdict === 'refused') return html`<span class="pill bad">受け付けず</span>`;
  if (visit.outcome === null) return html`<span class="pill quiet">確認中</span>`;
  const validity = validityCaseOf(visit);
  if (validity !== null && validity !== '1')
    return html`<span class="pill ${validity === '6' ? 'ok' : 'warn'}">${model.catalogue().desk.validity[validity].name}</span>`;
  const good = visit.outcome !== 'not-eligible' && visit.outcome !== 'failed';
  return html`<span class="pill ${good ? 'ok' : 'warn'}">${outcomeWords[visit.outcome]}</span>`;
};

const isAboutOpenName = (notice: string): boolean => notice.startsWith('name-character:sent-as-placeholder');

/** A name that came with ●: what to do, or that it was done since. */
const nameRemark = (visit: JournalVisit, note: TodayNote | undefined, model: PageModel): Markup | null => {
  const notices = note?.notices.filter(isAboutOpenName) ?? [];
  if (note === undefined || notices.length === 0) return null;
  if (isFilledByNow(note, model)) return html`<p>氏名の ●：正しい字を登録しました。次の受付から使います</p>`;
  return html`${notices.map((notice) => html`<p>${noticeText(notice)}</p>`)}
    <p><a class="button" href="/names?request=${visit.requestId}">正しい字を登録する</a></p>`;
};

const remarks = (visit: JournalVisit, note: TodayNote | undefined, model: PageModel): Markup => {
  const late = isLate(visit, model.context.settings().timeouts.offlineMs);
  const { code } = visit;
  const validity = validityCaseOf(visit);
  const waitsForFile =
    visit.verdict === 'accepted' &&
    visit.outcome !== null &&
    visit.outcome !== 'failed' &&
    visit.kind === 'eligibility' &&
    visit.handedOverAt === null &&
    visit.givenUpAt === null;
  return html`
    ${late && html`<p><span class="pill warn">遅れて届いた結果</span> 患者さまは窓口でお待ちかもしれません</p>`}
    ${validity !== null && validity !== 'not-asked' && html`<p>${model.catalogue().desk.validity[validity].next}</p>`}
    ${code !== null && (isStillAsked(visit) ? stillAskedText(model, code) : failureText(model, code))}
    ${waitsForFile && html`<p>レセコン用ファイルの書込み待ち</p>`}
    ${note?.notices.filter((notice) => !isAboutOpenName(notice)).map((notice) => certificateNotice(model, notice) ?? html`<p>${noticeText(notice)}</p>`)}
    ${nameRemark(visit, note, model)}`;
};

const chart = (visit: JournalVisit, note: TodayNote | undefined): Markup | string => {
  if (visit.kind !== 'eligibility' || note === undefined) return '—';
  return note.referenceNumber === '' ? html`<span class="pill quiet">新しいカルテ</span>` : note.referenceNumber;
};

/** A page is drawn at each change: what it does not show it does not read. */
const shownVisits = 200;

const leftWords: Readonly<Record<string, string>> = {
  'card.removed': 'カードを途中で取りました',
  'session.timed-out': '操作がないまま終わりました',
};

/** Nobody has signed anything there: whoever left may think that they did. */
const leftRow = ({ at, lane, reason }: ReturnType<DeskEvents['abandonedSince']>[number]): Markup => html`<tr>
    <td class="short">${timeText(at)}</td><td class="short">${lane}番</td><td class="short">—</td>
    <td><span class="pill warn">途中でやめた</span></td><td>—</td>
    <td>${leftWords[reason] ?? 'とちゅうで終わりました'}。受付は終わっていません。お近くにいれば、お声かけください</td></tr>`;

const visitRow = (
  visit: JournalVisit,
  note: TodayNote | undefined,
  model: PageModel,
  today: number,
): Markup => html`<tr data-request="${visit.requestId}">
      <td class="short">${(visit.receivedAt < today ? dayAndTimeText : timeText)(visit.receivedAt)}<br><span class="code">${visit.requestId.slice(0, 8)}</span></td>
      <td class="short">${visit.lane}番</td>
      <td class="short">${visit.kind === 'test' ? 'テスト' : methodWords[visit.method]}${visit.kind === 'registration' && html`<br><span class="mute">利用申込</span>`}</td>
      <td>${outcomePill(visit, model)}</td>
      <td>${chart(visit, note)}</td>
      <td>${remarks(visit, note, model)}</td>
  </tr>`;

/**
 * 今日の受付, and of earlier ones what is open still or ended today: time, lane, method, outcome and 照会番号; never a name, a date of
 * birth or an insurance number.
 */
export const visitsView = (model: PageModel): Markup => {
  const { journal } = model.context;
  const today = startOfJapanDay(japanDate(model.nowMs()));
  const visits = [...journal.newestVisits(today, shownVisits), ...journal.carriedOver(today, shownVisits)];
  const left = journal.deskEvents.abandonedSince(today).slice(-shownVisits);
  if (visits.length + left.length === 0) return html`<p class="mute">今日の受付はまだありません。</p>`;
  const notes = journal.todayNotes(visits.map(({ requestId }) => requestId));
  const rows = [
    ...visits.map((visit) => ({
      at: visit.receivedAt < today ? (visit.givenUpAt ?? visit.handedOverAt ?? visit.receivedAt) : visit.receivedAt,
      drawn: visitRow(visit, notes.get(visit.requestId), model, today),
    })),
    ...left.map((one) => ({ at: one.at, drawn: leftRow(one) })),
  ].sort((a, b) => b.at - a.at);
  return html`<table>
    <thead><tr><th scope="col">時刻</th><th scope="col">窓口</th><th scope="col">方法</th><th scope="col">結果</th><th scope="col">照会番号</th><th scope="col">確認すること</th></tr></thead>
    <tbody>${rows.map((row) => row.drawn)}</tbody>
  </table>`;
};
