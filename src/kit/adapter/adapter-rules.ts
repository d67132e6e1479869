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
  'byte-order-mark': rule(
    '行の頭に BOM（U+FEFF）があります',
    'a byte order mark stands before a line',
    'BOM のない UTF-8 で書く（C# は new UTF8Encoding(false)）',
    'UTF-8 without a byte order mark (in C#: new UTF8Encoding(false))',
  ),
  'not-utf8': rule(
    '標準出力が UTF-8 ではありません',
    'standard output is not UTF-8',
    'Windows のコンソールは Shift_JIS（CP932）。出力の文字コードを UTF-8 に決める',
    'a Japanese Windows console speaks Shift_JIS: set the encoding of the output to UTF-8',
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
  'other-insurer': rule(
    '保険者番号が違うのに答えました',
    'the number of another insurer was answered',
    '番号が合っても保険者番号が違えば eligibility.not-found。患者の取り違えになる',
    'the same number at another insurer is eligibility.not-found: anything else mixes patients',
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
  'reference-of-other': rule(
    '登録した照会番号がほかの人の答えにあります',
    'a registered chart number is in the answer about another person',
    '照会番号はその人の答えにだけ入れる。患者の取り違えになる',
    'in the answers about that person alone: anything else mixes patients',
  ),
  'registered-untrue': rule(
    '利用登録のある方・ない方を言い分けていません',
    'it does not tell who is registered',
    'registered は yes か no。unknown は資格確認側が答えられないときだけ',
    'yes or no; unknown only where the service cannot tell',
  ),
  'persons-mixed': rule(
    'ほかの人についての答えです',
    'an answer is about another person',
    'id と人を必ず対にする。共有の変数に置かない（並べて尋ねられる）',
    'keep id and person together, in no shared variable: questions come side by side',
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
  'unknown-call': rule(
    '知らない call に正しく答えません',
    'a call that it does not know is not refused',
    '知らない call には ok: false、code: eligibility.unavailable（あとの版で増える）',
    'answer ok: false with eligibility.unavailable: later versions have more calls',
  ),
  'unknown-member': rule(
    '知らない項目があると答えません',
    'a question with a member that it does not know is not answered',
    '知らない項目は無視する（あとの版で増える）',
    'pass over members that are not known: later versions have more',
  ),
  'stays-after-input': rule(
    '標準入力が閉じても終わりません',
    'it goes on when its standard input is closed',
    'ReadLine が null を返したら終わる。残ると次の起動とぶつかる',
    'end at the end of the input: what stays is in the way of the next start',
  ),
  'ends-on-junk': rule(
    '読めない行のあと答えなくなりました',
    'after a line that cannot be read it answers no more',
    '読めない行は無視して次を読む',
    'pass over what cannot be read',
  ),
} as const satisfies Record<string, RuleWords>;
export type AdapterRule = keyof typeof adapterRules;
