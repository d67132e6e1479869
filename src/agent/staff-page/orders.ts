import { randomUUID } from 'node:crypto';
import type { Result } from '../../core/result.ts';
import type { CommandMessage, StateMessage } from '../../wire/messages.ts';
import { logLevels } from '../../wire/terminal-about.ts';
import type { ShownOrder } from '../desk/carried-out.ts';
import type { CommandAnswer } from '../desk/command-desk.ts';
import { runTestVisit } from '../desk/order-test-visit.ts';
import { keepIfPossible } from '../disk-watch.ts';
import { monthOf } from '../journal/today-notes.ts';
import { forgetName, keepName } from './names-view.ts';
import type { Notice, PageModel } from './page-model.ts';
import type { Order } from './pending-orders.ts';
import { answerSelfTest, orderSelfTest } from './self-test-orders.ts';
import type { StaffCheck } from './staff-codes.ts';
import { timeText } from './words.ts';

type ShownCommand = Extract<CommandMessage['command'], { name: ShownOrder['name'] }>;

const restartParts = ['daemon', 'reader', 'face', 'screen'] as const;

const follow = async (
  model: PageModel,
  device: string,
  what: Order['what'],
  sent: Promise<Result<CommandAnswer>>,
  words: { readonly done: string; readonly refused: string },
): Promise<Notice> => {
  model.orders.start(device, what, model.nowMs(), { session: stateOf(model, device)?.session });
  return answered(model, device, await sent, words);
};

const stateOf = ({ desk }: PageModel, device: string): StateMessage | null =>
  desk.lanes.all().find((lane) => lane.device === device)?.state ?? null;

const answered = (
  model: PageModel,
  device: string,
  answer: Result<CommandAnswer>,
  words: { readonly done: string; readonly refused: string },
): Notice => {
  model.context.changed();
  if (!answer.ok) {
    model.orders.answered(device, 'unanswered', answer.failure.code);
    if (answer.failure.code === 'message.malformed')
      return { good: false, text: 'この端末のプログラムは古く、この操作ができません。更新を依頼してください。' };
    return answer.failure.code === 'message.stale'
      ? { good: false, text: 'この窓口の患者さまが替わりました。画面を見て、もう一度確認してください。' }
      : { good: false, text: '端末から返事がありません。窓口の画面を確認してください。' };
  }
  model.orders.answered(device, answer.value.outcome, answer.value.code);
  return answer.value.outcome === 'done' ? { good: true, text: words.done } : { good: false, text: words.refused };
};

const restart = {
  done: '再起動を始めました。復帰すると窓口の欄に表示されます。',
  refused: '端末が再起動を受け付けませんでした。受付の途中でないか確認してください。',
};
const shownWords: Readonly<Record<ShownOrder['name'], { readonly done: string; readonly refused: string }>> = {
  restart,
  reboot: restart,
  'log-level': {
    done: '記録のくわしさを変えるよう伝えました。変わると窓口の欄に表示されます。',
    refused: '端末が受け付けませんでした。',
  },
  'support-bundle': {
    done: 'サポート情報を受け取りました。窓口の欄から保存できます（患者さまの情報は入っていません）。',
    refused: '端末がサポート情報を作れませんでした。',
  },
};

/** An order whose effect must show in what the terminal says of itself afterwards. */
const order = async (device: string, command: ShownCommand, model: PageModel): Promise<Notice> => {
  const commandId = randomUUID();
  const awaited = { order: { ...command, commandId }, before: stateOf(model, device) };
  model.orders.start(device, command.name, model.nowMs(), { awaited });
  const answer = await model.desk.commands.send(device, command, commandId);
  return answered(model, device, answer, shownWords[command.name]);
};

/** Of a form; null: there is no such order. */
const shownCommand = (path: string, form: URLSearchParams): ShownCommand | null => {
  if (path === '/reboot') return { name: 'reboot' };
  if (path === '/support-bundle') return { name: 'support-bundle' };
  const level = logLevels.find((name) => name === form.get('level'));
  if (path === '/log-level' && level !== undefined) return { name: 'log-level', level };
  const part = restartParts.find((name) => name === form.get('part'));
  return path === '/restart' && part !== undefined ? { name: 'restart', part } : null;
};

const refusedCodeText = (checked: StaffCheck): string => {
  switch (checked.is) {
    case 'locked':
      return `職員コードの誤りが続いたため、${timeText(checked.until)} までこの方の入力を止めています。`;
    case 'too-short':
      return 'この職員コードは短すぎます。システム担当者に、長いコードへの登録し直しを依頼してください。';
    case 'no-second-factor':
      return 'この方の認証アプリ（ワンタイムコード）が登録されていません。システム担当者に依頼してください。';
    default:
      return '職員コードが違います。';
  }
};

const approve = async (form: URLSearchParams, model: PageModel): Promise<Notice> => {
  const [device, session, approver] = [form.get('device') ?? '', form.get('session') ?? '', form.get('approver') ?? ''];
  const given = { staffCode: form.get('staffCode') ?? '', oneTimeCode: form.get('oneTimeCode') ?? '' };
  const checked = await model.staffCodes.check(approver, given, model.nowMs());
  if (checked.is !== 'right') {
    model.context.changed();
    return { good: false, text: refusedCodeText(checked) };
  }
  return follow(model, device, 'approve', model.desk.commands.approve(device, session, approver), {
    done: '目視の確認を端末へ伝えました。この患者さまの1回だけ有効です。',
    refused: '端末が目視の確認を受け付けませんでした。窓口の画面を確認してください。',
  });
};

const testVisit = async (device: string, model: PageModel): Promise<Notice> => {
  model.orders.start(device, 'test-visit', model.nowMs());
  const { context, desk, orders } = model;
  const report = await runTestVisit(context, (session) => desk.commands.testVisit(device, session));
  orders.tested(device, report);
  context.changed();
  if (report.code === null && report.folderCode === null)
    return { good: true, text: 'テスト受付：送信から結果まで正常です。くわしくは窓口の欄に表示しています。' };
  return { good: false, text: 'テスト受付：途中で止まりました。窓口の欄に、どこまで進んだかを表示しています。' };
};

/** The call that the lane shows now; it counts as answered once the terminal has told the patient. */
const answerHelp = async (device: string, { context, desk, nowMs }: PageModel): Promise<Notice> => {
  const calledAt = desk.lanes.all().find((lane) => lane.device === device)?.state?.helpCalledAt;
  const answer = await desk.commands.send(device, { name: 'answer-help' });
  const isTaken = answer.ok && answer.value.outcome === 'done';
  if (isTaken && calledAt !== undefined)
    keepIfPossible(context.disk, () => context.journal.deskEvents.answered(device, calledAt, nowMs()));
  context.changed();
  return isTaken
    ? { good: true, text: '「受付の人が来ます」と患者さまの画面に出しました。' }
    : { good: false, text: '窓口の画面に知らせられませんでした。窓口へ行ってください。' };
};

const wholeNumber = (text: string | null): number | null =>
  text !== null && /^\d{1,7}$/.test(text) ? Number(text) : null;

const official = (form: URLSearchParams, model: PageModel): Notice => {
  const month = (form.get('month') ?? '').replace('-', '');
  const cardUses = wholeNumber(form.get('cardUses'));
  const confirmations = wholeNumber(form.get('confirmations'));
  if (!/^20\d{2}(0[1-9]|1[0-2])$/.test(month) || cardUses === null || confirmations === null)
    return { good: false, text: '月と件数を数字で入力してください。' };
  if (cardUses > confirmations) return { good: false, text: 'マイナ保険証利用数が資格確認回数より多くなっています。' };
  if (month > monthOf(model.nowMs())) return { good: false, text: '先の月は入力できません。' };
  model.context.journal.setOfficialUsage({ month, cardUses, confirmations }, model.nowMs());
  return { good: true, text: '公式の件数を保存しました。' };
};

const receiptShare = (form: URLSearchParams, model: PageModel): Notice => {
  const month = (form.get('month') ?? '').replace('-', '');
  const people = wholeNumber(form.get('people'));
  const receipts = wholeNumber(form.get('receipts'));
  if (!/^20\d{2}(0[1-9]|1[0-2])$/.test(month) || people === null || receipts === null || receipts === 0)
    return { good: false, text: '月、人数、レセプト件数を数字で入力してください。' };
  if (people > receipts) return { good: false, text: 'マイナ保険証利用者数がレセプト件数より多くなっています。' };
  if (month > monthOf(model.nowMs())) return { good: false, text: '先の月は入力できません。' };
  model.context.journal.receiptShares.set({ month, people, receipts }, model.nowMs());
  return { good: true, text: '加算の利用率を保存しました。' };
};

const putAway = (device: string, isAway: boolean, { context, nowMs }: PageModel): Notice => {
  if (context.devices().get(device) === undefined) return { good: false, text: 'その端末は登録されていません。' };
  keepIfPossible(context.disk, () => context.journal.selfTests.putAway(device, isAway, nowMs()));
  context.changed();
  return isAway
    ? { good: true, text: 'しまった端末として扱います。つながらなくても知らせません。電源を入れれば、また使えます。' }
    : { good: true, text: '使う端末に戻しました。' };
};

/** The order of a form, by its path. null: there is no such order. */
export const carryOut = async (path: string, form: URLSearchParams, model: PageModel): Promise<Notice | null> => {
  const device = form.get('device') ?? '';
  const { commands } = model.desk;
  const command = shownCommand(path, form);
  if (command !== null) return order(device, command, model);
  switch (path) {
    case '/approve':
      return approve(form, model);
    case '/cancel':
      return follow(
        model,
        device,
        'cancel',
        commands.send(device, { name: 'cancel-session', session: form.get('session') ?? '' }),
        {
          done: 'この受付を中止しました。',
          refused: '端末が中止を受け付けませんでした（すでに受付が済んでいることがあります）。',
        },
      );
    case '/answer-help':
      return answerHelp(device, model);
    case '/test-visit':
      return testVisit(device, model);
    case '/put-away':
    case '/take-out':
      return putAway(device, path === '/put-away', model);
    case '/self-test':
      return orderSelfTest(device, model);
    case '/self-test-answer':
      return answerSelfTest(form, model);
    case '/card-seen': {
      const number = (form.get('referenceNumber') ?? '').trim();
      const seen = number !== '' && model.context.journal.cardSeen(number, model.nowMs());
      return seen
        ? { good: true, text: `照会番号 ${number}：今月カードを確認済みです。` }
        : { good: false, text: `照会番号 ${number}：今月まだカードを確認していません。` };
    }
    case '/disaster': {
      const on = form.get('designated') === 'yes';
      model.context.journal.setDisasterArea(on ? model.nowMs() : null);
      model.context.changed();
      return { good: true, text: on ? '災害時の案内を表示します。' : '災害時の案内を終わりました。' };
    }
    case '/official-usage':
      return official(form, model);
    case '/receipt-share':
      return receiptShare(form, model);
    case '/keep-name':
      return keepName(form, model);
    case '/forget-name':
      return forgetName(form, model);
    default:
      return null;
  }
};
