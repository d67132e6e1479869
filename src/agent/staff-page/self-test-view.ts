import { type FaultName, faultNames, faultOf, filledIn, inStaffWords } from '../../catalogue/faults.ts';
import type { KeyName, PartResult, TestedPart } from '../../wire/self-test-report.ts';
import { selfTestMs } from '../desk/command-desk.ts';
import type { KeptSelfTest } from '../journal/self-tests.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { dayAndTimeText, dayText, timeText } from './words.ts';

const partWords: Readonly<Record<TestedPart, string>> = {
  speaker: 'スピーカー',
  keypad: 'キーパッド（全部のキー）',
  light: '表示灯',
  camera: '顔認証カメラ（1枚撮影）',
  reader: 'カードリーダー',
  line: '通信（テスト受付を最後まで）',
  certificates: '電子証明書（30日以上）',
  clock: '時計',
  disk: '保存先の空き',
};

const keyWords: Readonly<Partial<Record<KeyName, string>>> = {
  clear: '取消',
  enter: '確定',
  previous: '前へ',
  next: '次へ',
  choose: '決定',
  repeat: 'もう一度',
};

const actorWords = { patient: '患者さまのカード', staff: '受付で対応', technician: 'システム担当者' } as const;

const isFault = (name: string): name is FaultName => (faultNames as readonly string[]).includes(name);

/** Whose it is and what to do, from the one table of faults: staff's words where it has them, else the technician's. */
const faultView = (code: string, device: string, { inJapanese }: PageModel): Markup => {
  if (!isFault(code)) return html`<span class="code">${code}</span>`;
  const { actor, cause, remedy } = faultOf(code);
  const said = inStaffWords(code) ?? { cause: inJapanese(cause), remedy: [inJapanese(remedy.join('; '))] };
  return html`${said.cause}<br>【${actorWords[actor]}】${filledIn(said.remedy.join('。'), { device })} <span class="code">${code}</span>`;
};

const pills: Readonly<Record<PartResult['outcome'], readonly [string, string]>> = {
  good: ['ok', '正常'],
  failed: ['bad', '異常'],
  present: ['quiet', '接続あり・人の確認待ち'],
  absent: ['quiet', 'この端末にはありません'],
  skipped: ['warn', '患者さまの受付のため未実施'],
};

/** What only a person can tell, of a part that answers; the keys are pressed, and need no answer. */
const questions: Readonly<Partial<Record<TestedPart, string>>> = {
  speaker: '音は聞こえましたか',
  light: '表示灯の色が変わりましたか',
};

const question = (part: TestedPart, device: string, model: PageModel): Markup | null => {
  const asked = questions[part];
  if (asked === undefined) return null;
  const answer = (value: string, label: string): Markup =>
    html`<form method="post" action="/self-test-answer"><input type="hidden" name="token" value="${model.token}"><input type="hidden" name="device" value="${device}"><input type="hidden" name="part" value="${part}"><input type="hidden" name="answer" value="${value}"><button>${label}</button></form>`;
  return html`<div class="row tools">${asked}？ ${answer('yes', 'はい')}${answer('no', 'いいえ')}</div>`;
};

const partRow = ({ part, outcome, code, missing = [] }: PartResult, test: KeptSelfTest, model: PageModel): Markup => {
  const [tone, word] = pills[outcome];
  const silent = missing.map((key) => keyWords[key] ?? key).join('・');
  return html`<tr><th scope="row">${partWords[part]}</th><td><span class="pill ${tone}">${word}</span></td>
    <td>${code !== undefined && faultView(code, test.device, model)}${silent !== '' && html`<br>反応がなかったキー：${silent}`}
    ${outcome === 'present' && test.report?.byHand === true && question(part, test.device, model)}</td></tr>`;
};

const failedParts = ({ report }: KeptSelfTest): readonly PartResult[] =>
  report?.parts.filter(({ outcome }) => outcome === 'failed') ?? [];

/** In a word: how the test went. */
const verdict = (test: KeptSelfTest, nowMs: number): Markup => {
  if (test.report === null)
    return nowMs - test.at < selfTestMs
      ? html`<span class="pill quiet">点検中…</span>`
      : html`<span class="pill bad">結果が届きませんでした</span>`;
  const failed = failedParts(test);
  if (failed.length > 0)
    return html`<span class="pill bad">異常：${failed.map(({ part }) => partWords[part]).join('、')}</span>`;
  const open = test.report.parts.some(({ outcome }) => outcome === 'present' || outcome === 'skipped');
  return open
    ? html`<span class="pill ok">異常なし（人の確認が残っています）</span>`
    : html`<span class="pill ok">異常なし</span>`;
};

/** One line in the lane's row. null: never tested. */
export const selfTestNote = (device: string, model: PageModel): Markup | null => {
  const test = model.context.journal.selfTests.newest(device);
  return test === undefined
    ? null
    : html`<p><a href="/self-test">始業前点検</a> <span class="mute">${dayAndTimeText(test.at)}</span> ${verdict(test, model.nowMs())}</p>`;
};

const terminalSection = (device: string, lane: number, model: PageModel): Markup => {
  const test = model.context.journal.selfTests.newest(device);
  const order = html`<form method="post" action="/self-test" class="tools"><input type="hidden" name="token" value="${model.token}"><input type="hidden" name="device" value="${device}"><button class="fill">${lane}番を点検する（窓口で）</button></form>`;
  if (test === undefined) return html`<section><h2>${lane}番</h2>${order}<p>まだ点検していません。</p></section>`;
  return html`<section class="form-sheet self-test"><h2>${lane}番　<span class="mute">${dayText(test.at)} ${timeText(test.at)} に点検</span> ${verdict(test, model.nowMs())}</h2>${order}
    ${
      test.report === null
        ? html`<p class="say">窓口で：音を2回聞く → 表示灯の色が変わるのを見る → キーを全部1回ずつ押す（60秒以内。鳴るたびに1つ確認できています）</p>`
        : html`<table><thead><tr><th scope="col">部分</th><th scope="col">結果</th><th scope="col">原因と対応</th></tr></thead><tbody>${test.report.parts.map((part) => partRow(part, test, model))}</tbody></table>`
    }</section>`;
};

/** 始業前点検: the newest of each terminal, dated, to be shown and to be printed. */
export const selfTestView = (model: PageModel): Markup => {
  const lanes = model.desk.lanes.all();
  const { facilityName } = model.context.settings();
  return html`<p class="mute">${dayText(model.nowMs())}　${facilityName}</p>
    ${lanes.map(({ device, lane }) => terminalSection(device, lane, model))}
    <p>確認した人：＿＿＿＿＿＿＿＿</p>`;
};
