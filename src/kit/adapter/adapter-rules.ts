import { type RuleWords, rule } from '../finding.ts';

/** What every eligibility-service promises, in whatever process it runs. */
export const adapterRules = {
  'not-a-line': rule(
    '標準出力に JSON 1行ではないものが出ました',
    'standard output has what is no line of JSON',
    '答えだけを1行の JSON で書く。記録は標準エラーへ',
    'write answers alone there, one line each; logs go to standard error',
  ),
  'other-id': rule(
    'だれも尋ねていない id の答えです',
    'an answer to an id that nobody asked, or a second one',
    '尋ねられた id に1回だけ答える',
    'answer each id once',
  ),
  form: rule(
    '答えの形が違います',
    'an answer breaks its form',
    'docs/examples/README.md の表のとおりの名前と形で',
    'by the names and forms of docs/examples/README.md',
  ),
  'unknown-code': rule(
    '知らない失敗コードです',
    'a failure code that nobody knows',
    'docs/faults.md の eligibility.… と card.certificate-revoked から選ぶ',
    'take one of docs/faults.md: eligibility.… or card.certificate-revoked',
  ),
  'no-answer': rule(
    '時間内に答えませんでした',
    'no answer within the time',
    'つながらないときも eligibility.line-down などで答える',
    'answer with eligibility.line-down or the like, too',
  ),
  'lookup-changes': rule(
    'lookup が何かを変えました',
    'a lookup changed something',
    'lookup は読むだけ。登録は register だけが行う',
    'a lookup reads; only register registers',
  ),
  'not-registered-checked': rule(
    '利用登録のない方に資格を答えました',
    'somebody who is not registered was checked',
    'eligibility.not-registered を返す',
    'answer eligibility.not-registered',
  ),
  'register-no-effect': rule(
    'register のあとも登録されていません',
    'register had no effect',
    '成功と答えたら、次の lookup は registered: yes',
    'after success the next lookup says registered: yes',
  ),
  'register-twice': rule(
    '2回目の register が失敗しました',
    'registering again failed',
    '同じ呼び出しをくり返しても同じ結果にする（再送がある)',
    'every call may be repeated with the same effect',
  ),
  'check-differs': rule(
    '同じ問い合わせの答えが変わりました',
    'the same question was answered otherwise',
    '同じ requestId の check は同じ答え',
    'a check may be repeated with the same answer',
  ),
  'nobody-found': rule(
    'いない人に答えました',
    'somebody who is not there was answered',
    'eligibility.not-found を返す',
    'answer eligibility.not-found',
  ),
  'other-birthdate': rule(
    '生年月日が違うのに答えました',
    'another birth date was answered',
    '番号が合っても生年月日が違えば eligibility.not-found',
    'right numbers with another birth date are eligibility.not-found',
  ),
  'numbers-unfolded': rule(
    '全角や空白の違いで見つけられません',
    'full width or filling of a number is another person for it',
    '数字の全角・半角、保険者番号の左の空白とゼロを同じに扱う',
    'fold full width, and blanks or zeros before an insurer number',
  ),
  'reference-lost': rule(
    '登録した照会番号が次の答えにありません',
    'a registered chart number is not in the next answer',
    'registerReference のあとの check と inquire に referenceNumber を入れる',
    'carry it in later answers',
  ),
  'persons-mixed': rule(
    '同時に尋ねた2人の答えが入れ替わりました',
    'the answers about two people were exchanged',
    'id と人を必ず対にする。共有の変数に置かない',
    'keep id and person together',
  ),
  'waits-for-others': rule(
    '1つの遅い答えがほかを待たせました',
    'one slow answer kept the others waiting',
    '尋ねられた順でなくてよい。並べて尋ねる',
    'answers may come in any order: ask side by side',
  ),
  'reached-slow': rule(
    'isReached が1秒より遅いです',
    'isReached takes more than 1 s',
    '接続できるかだけを1秒以内に。わからなければ null',
    'only whether a connection is taken, within 1 s; null where it cannot be told',
  ),
  'ends-on-junk': rule(
    '読めない行のあと答えなくなりました',
    'after a line that cannot be read it answers no more',
    '読めない行は無視して次を読む',
    'pass over what cannot be read',
  ),
} as const satisfies Record<string, RuleWords>;
export type AdapterRule = keyof typeof adapterRules;
