import { updateStatusSchema, wordsOfStatus } from '../../catalogue/update-status.ts';
import { isFailureCode } from '../../core/failure.ts';
import { type Party, partyOf } from '../../core/party.ts';
import { dayMs } from '../../core/time-units.ts';
import { describeError } from '../../log/event-log.ts';
import type { Lane } from '../desk/lanes.ts';
import { failureSteps } from './desk-order-view.ts';
import { failureTexts } from './failure-texts.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { partyView } from './party-view.ts';
import type { Order } from './pending-orders.ts';
import { selfTestNote } from './self-test-view.ts';
import { testVisitView } from './test-visit-view.ts';
import { isPhase, languageWords, phaseWords, timeText } from './words.ts';

/** Phases from which the machine takes a staff approval (`mayBeApproved`); the terminal decides in the end. */
const approvable = new Set(['awaitingStaffCheck', 'interrupted', 'choosingMethod', 'verifyingFace', 'enteringPin']);
/** Phases in which the visit can be ended from here: nothing is signed yet. */
const cancellable = new Set([...approvable, 'readingCard', 'awaitingLookup', 'registering', 'askingConsent']);

/** Nobody can be served there, by a screen that says so or by none at all. */
const isUnserved = ({ status, code }: NonNullable<Lane['state']>): boolean =>
  status === 'out-of-service' || status === 'offline' || code === 'screen.no-page';

/** A spare is turned on and tried out so often: certificate, clock and program stay of use. ms */
const spareTestedMs = 90 * dayMs;

/** In the cupboard, and silent as it should be. */
const isPutAway = ({ device, state }: Lane, { context }: PageModel): boolean =>
  (state === null || state.status === 'offline') && context.journal.selfTests.isAway(device);

const statusPill = (lane: Lane, model: PageModel): Markup => {
  const { state } = lane;
  if (isPutAway(lane, model)) return html`<span class="pill quiet">しまってあります</span>`;
  if (!model.desk.connected) return html`<span class="pill quiet">不明</span>`;
  if (state === null) return html`<span class="pill quiet">未接続</span>`;
  if (state.status === 'offline') return html`<span class="pill bad">通信できません</span>`;
  if (state.status === 'out-of-service')
    return html`<span class="pill bad">${failureTexts(model, state.code)?.staff.summary ?? '使用できません'}</span>`;
  // A dark screen is told before whatever somebody has begun there.
  if (state.code === 'screen.no-page')
    return html`<span class="pill bad">${failureTexts(model, state.code)?.staff.summary ?? '使用できません'}</span>`;
  if (state.phase === 'awaitingStaffCheck') return html`<span class="pill warn">目視の確認待ち</span>`;
  if (state.phase === 'interrupted')
    return html`<span class="pill warn">${failureTexts(model, state.code)?.staff.summary ?? '窓口へご案内中'}</span>`;
  return state.status === 'busy'
    ? html`<span class="pill ok">受付中</span>`
    : html`<span class="pill ok">受付できます</span>`;
};

/** Requests go by the agent's clock, but the terminal's screen and log show its own. */
const clockToleratedMs = 60_000;

const clockNote = ({ clockAheadMs }: Lane): Markup | null =>
  Math.abs(clockAheadMs) <= clockToleratedMs
    ? null
    : html`<p>端末の時計が ${Math.round(Math.abs(clockAheadMs) / 60_000)}分 ${clockAheadMs > 0 ? '進んで' : '遅れて'}います</p>`;

/** Nothing to say of a terminal that is as it should be. */
const updateNote = ({ state }: Lane): Markup | null => {
  const { update } = state ?? {};
  if (update === undefined || (update.state === 'current' && update.last === undefined)) return null;
  const status = updateStatusSchema.safeParse({ ...update, version: state?.version ?? '', slot: 'a' });
  if (!status.success) return null;
  const [first, ...more] = wordsOfStatus(status.data, 'ja', 'short');
  return html`<p class="mute">更新：${[first, ...more].join('。')}</p>`;
};

const now = (lane: Lane, model: PageModel): Markup => {
  const { state } = lane;
  if (isPutAway(lane, model)) {
    const testedAt = model.context.journal.selfTests.newest(lane.device)?.at ?? 0;
    const isLongAgo = model.nowMs() - testedAt > spareTestedMs;
    return html`<span class="mute">予備、または故障。電源を入れると使えます</span>${isLongAgo && html`<p class="pill warn">3か月以上 点検していません。予備なら電源を入れて点検してください</p>`}`;
  }
  if (state === null) return html`この端末からまだ連絡がありません`;
  if (!model.desk.connected)
    return html`<span class="mute">${timeText(lane.receivedAt ?? state.since)} の連絡が最後です</span>`;
  const failure = failureTexts(model, state.code);
  const since = html`<span class="mute">${timeText(state.since)} から</span>`;
  const whose = (code: string, party: Party | null): Markup =>
    partyView(model, code, party, { lane: lane.lane, sinceMs: state.since });
  // It cannot tell us: its own screen says whether it is the cable, this PC or itself.
  if (state.status === 'offline')
    return html`${since} 端末の電源、または院内のネットワークが切れています。どこの故障かは端末の画面に出ています${whose('delivery.offline', null)}`;
  const phase = isPhase(state.phase) ? phaseWords[state.phase] : (state.phase ?? '');
  const language = languageWords[state.language ?? ''];
  return html`${phase} ${since}${language !== undefined && language !== '日本語' && html` <span class="pill quiet">${language}</span>`}${clockNote(lane)}${updateNote(lane)}
    ${
      failure &&
      html`<p>${failure.notice} ${failure.staff.cause}</p><p class="code">${state.code}</p>
    ${isFailureCode(state.code) && whose(state.code, partyOf(state.code, 'terminal'))}`
    }`;
};

/**
 * What at this lane waits for somebody, by a key that is new when it is: the page's script tells each once. Lane, reason,
 * the patient's language, since when. null: nobody is needed.
 */
const attentionOf = (lane: Lane, model: PageModel): { readonly key: string; readonly text: string } | null => {
  const { state, device } = lane;
  if (state === null || !model.desk.connected || isPutAway(lane, model)) return null;
  const language = languageWords[state.language ?? ''];
  const said = (what: string, key: string, since: number) => ({
    key: `${device} ${key}`,
    text: `${lane.lane}番：${what}${language === undefined || language === '日本語' ? '' : `（${language}）`} ${timeText(since)} から`,
  });
  if (state.helpCalledAt !== undefined)
    return said('患者さまが呼んでいます', `help ${state.helpCalledAt}`, state.helpCalledAt);
  if (state.phase === 'awaitingStaffCheck') return said('目視の確認待ち', `check ${state.session}`, state.since);
  if (isUnserved(state))
    return said(
      failureTexts(model, state.code)?.staff.summary ?? '通信できません',
      `fault ${state.code ?? state.status}`,
      state.since,
    );
  // A card that was pulled may come back and go on by itself.
  return state.phase === 'interrupted' && state.code !== 'card.removed'
    ? said(failureTexts(model, state.code)?.staff.summary ?? '窓口へご案内中', `desk ${state.session}`, state.since)
    : null;
};

const help = (lane: Lane, model: PageModel): Markup | null =>
  lane.state?.helpCalledAt === undefined
    ? null
    : html`<p><span class="pill warn">患者さまが呼んでいます</span> <span class="mute">${timeText(lane.state.helpCalledAt)} から</span></p>
      <form method="post" action="/answer-help">${hidden(model, lane)}<button class="fill">すぐ行きます</button></form>`;

const hidden = (model: PageModel, lane: Lane): Markup =>
  html`<input type="hidden" name="token" value="${model.token}"><input type="hidden" name="device" value="${lane.device}">`;

const approvalForm = (lane: Lane, model: PageModel): Markup | null => {
  const { state } = lane;
  if (state?.session === undefined || !approvable.has(state.phase ?? '')) return null;
  // A card that was pulled may come back and go on by itself.
  const urgent =
    state.phase === 'awaitingStaffCheck' || (state.phase === 'interrupted' && state.code !== 'card.removed');
  const members = model.staff();
  if (members.length === 0)
    return html`<p class="mute">目視確認には職員コードの登録が必要です（<span class="code">uketsuke agent staff add</span>）</p>`;
  return html`<details data-key="approve-${state.session}" ${urgent && html`open`}>
    <summary>目視で本人を確認した</summary>
    <form class="row" method="post" action="/approve">
      ${hidden(model, lane)}<input type="hidden" name="session" value="${state.session}">
      <label>確認した人<select name="approver" required>
        <option value="">選んでください</option>
        ${members.map((member) => html`<option value="${member.approver}">${member.label}</option>`)}
      </select></label>
      <label>職員コード<input name="staffCode" type="password" required autocomplete="off" size="10"></label>
      ${model.staffCodes.asksSecondFactor && html`<label>ワンタイムコード<input name="oneTimeCode" inputmode="numeric" required autocomplete="off" size="8" maxlength="8"></label>`}
      <button class="fill">券面の写真と本人を確認しました</button>
    </form>
    <p class="mute">この患者さまの、この1回だけ有効です。終わると自動で元に戻ります。</p>
  </details>`;
};

const orderButton = (model: PageModel, lane: Lane, action: string, label: string, more?: Markup): Markup =>
  html`<form method="post" action="${action}">${hidden(model, lane)}${more}<button>${label}</button></form>`;

const orderWords: Readonly<Record<Order['what'], string>> = {
  restart: '再起動',
  reboot: '端末の再起動',
  'log-level': '記録のくわしさ',
  'support-bundle': 'サポート情報',
  approve: '目視の確認',
  cancel: '受付の中止',
  'test-visit': 'テスト受付',
};

/** A reboot takes a minute; what does not show by then has not come about. ms */
const shownWithinMs = 2 * 60_000;

const orderNote = (order: Order | null, model: PageModel): Markup | null => {
  if (order === null) return null;
  if (order.report) return testVisitView(order.report, order.sentAt, model);
  const what = orderWords[order.what];
  const at = timeText(order.sentAt);
  if (order.state === 'returned') {
    const word = order.what === 'restart' || order.what === 'reboot' ? 'に復帰しました' : 'に端末の状態で確認しました';
    return html`<p class="pill ok">${what}：${timeText(order.returnedAt ?? order.sentAt)} ${word}</p>`;
  }
  if (order.state === 'refused')
    return html`<p class="pill warn">${what}：端末が受け付けませんでした</p><p class="code">${order.code}</p>`;
  if (order.state === 'unanswered') return html`<p class="pill bad">${what}：端末から返事がありません（${at}）</p>`;
  if (order.awaited !== undefined && order.state === 'done' && model.nowMs() - order.sentAt > shownWithinMs)
    return html`<p class="pill bad">${what}：端末は受け付けましたが、そのあとの状態で確認できません（${at}）</p>`;
  if (order.state === 'sent' || order.awaited !== undefined) return html`<p class="pill quiet">${what}中…（${at}）</p>`;
  return html`<p class="pill ok">${what}：${at} 済み</p>`;
};

const steps = (lane: Lane, model: PageModel, others: readonly Lane[]): Markup => {
  const { state } = lane;
  const failure = failureTexts(model, state?.code);
  const isAway = isPutAway(lane, model);
  const faulty = !isAway && (state === null || isUnserved(state));
  const working = (status: string) => others.find((other) => other.state?.status === status);
  const free = working('idle') ?? working('busy');
  const offlineSteps = ['端末の電源ランプと LAN ケーブルを確認する', '1分で直らなければ電源を入れ直す'];
  const todo = isAway ? [] : (failure?.staff.steps ?? (state?.status === 'offline' ? offlineSteps : []));
  const cancel =
    state?.session !== undefined && cancellable.has(state.phase ?? '')
      ? orderButton(
          model,
          lane,
          '/cancel',
          'この受付を中止',
          html`<input type="hidden" name="session" value="${state.session}">`,
        )
      : null;
  return html`
    ${help(lane, model)}
    ${todo.length > 0 && failureSteps(model, todo, state?.code ?? '')}
    ${
      faulty &&
      html`<p class="say">患者さまへ：「${free ? `${free.lane}番の窓口でお願いします` : '受付でお手続きします。お支払いはふだんと変わりません'}」</p>`
    }
    ${faulty && others.some((other) => isPutAway(other, model)) && html`<p><a class="button" href="/spare">予備の端末に替える</a></p>`}
    ${approvalForm(lane, model)}
    <details data-key="lane-${lane.device}" ${state?.status === 'out-of-service' && html`open`}><summary>この窓口の操作</summary>
      <div class="row">
        ${cancel}
        ${restartButtons.map(([part, label]) => orderButton(model, lane, '/restart', label, html`<input type="hidden" name="part" value="${part}">`))}
        ${orderButton(model, lane, '/reboot', '端末の電源を入れ直す')}
        ${orderButton(model, lane, '/test-visit', 'テスト受付')}
      </div>
      ${supportButtons(model, lane)}
      ${(isAway || faulty) && html`<div class="row">${orderButton(model, lane, isAway ? '/take-out' : '/put-away', isAway ? 'また使う' : 'しまう（予備・故障）')}</div>`}
    </details>
    ${selfTestNote(lane.device, model)}
    ${orderNote(model.orders.of(lane.device, state, lane.receivedAt, model.nowMs()), model)}`;
};

/** For whoever looks after the machines: more lines in the log for a while, and what a maker needs to see. */
const supportButtons = (model: PageModel, lane: Lane): Markup => {
  const isVerbose = lane.state?.about?.logLevel === 'debug';
  const bundle = model.desk.commands.bundleOf(lane.device);
  return html`<div class="row">
    ${orderButton(model, lane, '/log-level', isVerbose ? '記録をふだんに戻す' : 'くわしく記録する', html`<input type="hidden" name="level" value="${isVerbose ? 'info' : 'debug'}">`)}
    ${orderButton(model, lane, '/support-bundle', 'サポート情報を受け取る')}
    ${bundle && html`<a href="/support-bundle?device=${lane.device}" download>サポート情報（${timeText(bundle.at)}）を保存</a>`}
  </div>`;
};

const restartButtons = [
  ['daemon', 'この窓口を再起動'],
  ['reader', 'カードリーダーを再接続'],
  ['face', '顔認証を再起動'],
  ['screen', '画面を再表示'],
] as const;

/** What one terminal says of itself must not take the others off the page. */
const laneRow = (lane: Lane, model: PageModel, lanes: readonly Lane[]): Markup => {
  const others = lanes.filter((other) => other !== lane);
  try {
    const attention = attentionOf(lane, model);
    return html`<tr ${attention && html`data-attention="${attention.key}" data-attention-text="${attention.text}"`}>
        <td class="lane">${lane.lane}番</td>
        <td>${statusPill(lane, model)}</td>
        <td>${now(lane, model)}</td>
        <td>${steps(lane, model, others)}</td>
      </tr>`;
  } catch (error) {
    model.context.log.event('process.error', describeError(error));
    return html`<tr><td class="lane">${lane.lane}番</td><td><span class="pill bad">不明</span></td>
        <td colspan="2">この端末からの連絡を表示できません。窓口の画面を確認してください。</td></tr>`;
  }
};

/** 窓口: what each terminal shows, what to do, the one-patient 目視 approval, restarts. */
export const lanesView = (model: PageModel): Markup => {
  const lanes = model.desk.lanes.all();
  if (lanes.length === 0)
    return html`<p>端末がまだ登録されていません（<span class="code">uketsuke agent device add</span>）</p>`;
  return html`<table>
    <thead><tr><th scope="col">窓口</th><th scope="col">状態</th><th scope="col">いま</th><th scope="col">すること</th></tr></thead>
    <tbody>${lanes.map((lane) => laneRow(lane, model, lanes))}</tbody>
  </table>`;
};
