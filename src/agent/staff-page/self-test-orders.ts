import { keepIfPossible } from '../disk-watch.ts';
import type { Notice, PageModel } from './page-model.ts';

/** 点検: somebody is on the way to the counter. */
export const orderSelfTest = async (device: string, { desk, context }: PageModel): Promise<Notice> => {
  const answer = await desk.commands.selfTest(device, true);
  context.changed();
  if (!answer.ok)
    return answer.failure.code === 'message.malformed'
      ? { good: false, text: 'この端末のプログラムは古く、点検できません。システム担当者に更新を依頼してください。' }
      : { good: false, text: '端末から返事がありません。窓口の画面を確認してください。' };
  return answer.value.outcome === 'done'
    ? {
        good: true,
        text: '点検を始めました。窓口で、音を聞き、表示灯を見て、キーを全部1回ずつ押してください（60秒以内）。',
      }
    : {
        good: false,
        text: 'いまは点検できません（受付の途中、または点検中です）。終わってからもう一度押してください。',
      };
};

/** What only a person can say of the newest test. `no`: that part has failed, by its name in the table of faults. */
const faultsByPerson: Readonly<Record<string, string>> = { speaker: 'speaker.silent', light: 'light.dark' };

export const answerSelfTest = (form: URLSearchParams, { context }: PageModel): Notice => {
  const device = form.get('device') ?? '';
  const asked = form.get('part') ?? '';
  const answer = form.get('answer');
  const code = Object.hasOwn(faultsByPerson, asked) ? faultsByPerson[asked] : undefined;
  const test = context.journal.selfTests.newest(device);
  const isOpen = test?.report?.parts.some(({ part, outcome }) => part === asked && outcome === 'present') === true;
  if (code === undefined || !isOpen || test.report === null || (answer !== 'yes' && answer !== 'no'))
    return { good: false, text: 'この点検には、その答えを記録できません。' };
  const report = {
    ...test.report,
    parts: test.report.parts.map((each) => {
      if (each.part !== asked) return each;
      return answer === 'yes'
        ? { part: each.part, outcome: 'good' as const }
        : { part: each.part, outcome: 'failed' as const, code };
    }),
  };
  keepIfPossible(context.disk, () => context.journal.selfTests.keep(device, test.at, report));
  context.changed();
  return { good: true, text: '記録しました。' };
};
