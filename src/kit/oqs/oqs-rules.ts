import { type RuleWords, rule } from '../finding.ts';

/** What a レセコン must keep to in the shared folder; where sources are silent, what the official software is known to bear. */
export const oqsRules = {
  'name-unknown': rule(
    'req/ に照会ファイルの名前ではないファイルがあります',
    'a file in req/ has no name of a request',
    'OQSsiquc01req_、OQSmuquc01req_、OQSmuquc02req_、OQSsiimm01req_、OQSmuimm01req_ のどれかで始まり .xml で終わる名前にする',
    'a name that begins with OQSsiquc01req_, OQSmuquc01req_, OQSmuquc02req_, OQSsiimm01req_ or OQSmuimm01req_ and ends with .xml',
  ),
  'kind-unknown': rule(
    'この受付では答えられない種類の照会です',
    'a request of a kind that nobody answers here',
    '資格確認（OQSsiquc01、OQSmuquc01、OQSmuquc02）と照会番号登録（OQSsiimm01、OQSmuimm01）だけを書く',
    'ask for eligibility (OQSsiquc01, OQSmuquc01, OQSmuquc02) and register chart numbers (OQSsiimm01, OQSmuimm01), nothing else',
  ),
  'half-written': rule(
    '書いている途中のファイルが .xml の名前で見えました',
    'a request was seen under its own name while it was written',
    '別の名前（.tmp など）か別のフォルダに書きおわってから、.xml の名前に変える（rename）',
    'write it under another name (.tmp) or in another folder, then rename it to .xml',
  ),
  'encoding-mismatch': rule(
    'XML 宣言の文字コードと中身が違います',
    'the declaration names another encoding than the bytes have',
    '宣言が Shift_JIS なら中身も Shift_JIS、UTF-8 なら UTF-8 で書く',
    'write the bytes in the encoding that the declaration names, Shift_JIS or UTF-8',
  ),
  'encoding-undeclared': rule(
    'XML 宣言に文字コードがありません',
    'no encoding is declared',
    '<?xml version="1.0" encoding="Shift_JIS" standalone="no"?> から始める',
    'begin with <?xml version="1.0" encoding="Shift_JIS" standalone="no"?>',
  ),
  'character-code': rule(
    'CharacterCodeIdentifier が文字コードと合いません',
    'CharacterCodeIdentifier is not that of the encoding',
    'UTF-8 は 0、Shift_JIS は 1',
    '0 for UTF-8, 1 for Shift_JIS',
  ),
  'not-well-formed': rule(
    'XML として読めません、または必要な要素がありません',
    'it cannot be read as XML of its layout',
    'ルートは XmlMsg、その下に MessageHeader と MessageBody。仕様の要素名と桁数で書く',
    'XmlMsg as root, MessageHeader and MessageBody below it, names and lengths by the layout',
  ),
  'institution-code': rule(
    'MedicalInstitutionCode が10桁の医療機関コードではありません',
    'MedicalInstitutionCode is not the ten digits of the institution',
    '都道府県番号2桁・点数表番号1桁・医療機関等コード7桁の計10桁',
    'ten digits: prefecture 2, kind of fee table 1, institution 7',
  ),
  'identifier-missing': rule(
    'ArbitraryFileIdentifier がありません',
    'ArbitraryFileIdentifier is missing',
    '照会ごとに違う値を入れる。回答に同じ値が返り、取り違えを防げる',
    'a new value in each request: the answer carries it back, so that nobody is mixed up',
  ),
  'identifier-twice': rule(
    '2つの照会に同じ ArbitraryFileIdentifier が使われました',
    'two requests have one ArbitraryFileIdentifier',
    '照会ごとに違う値を入れる。同じ値の回答は取り違えのもとになる',
    'a new value in each request: two answers under one value mix patients',
  ),
  'unknown-element': rule(
    '仕様にない要素があります',
    'an element that is not in the layout',
    '仕様の要素だけを書く。公式のソフトは受け付けないことがある',
    'elements of the layout alone: the official software may refuse others',
  ),
  'element-order': rule(
    '要素の順番が仕様と違います',
    'elements are not in the order of the layout',
    '仕様の順に書く（MessageHeader、MessageBody の順。中の要素も同じ）',
    'the order of the layout, MessageHeader before MessageBody, and so within them',
  ),
  'insurer-number': rule(
    'InsurerNumber が8桁（左を空白で埋める）ではありません',
    'InsurerNumber is not eight characters, left-padded with blanks',
    '6桁の番号は先頭に半角空白2つを付けて8文字にする。ゼロでは埋めない',
    'two blanks before a number of six digits, eight characters in all; no zeros',
  ),
  'full-width': rule(
    '数字が全角です',
    'digits are in full width',
    '番号・日付・枝番は半角数字で書く（記号の全角はそのままでよい）',
    'numbers, dates and branch numbers in half width (a symbol may be in full width)',
  ),
  'lost-character': rule(
    '文字が失われています（?、〓、●）',
    'a character was lost',
    '文字コードにない字は文字参照（&#x9AD9; など）で書く。置きかえない',
    'a character reference (&#x9AD9;) where the encoding has no code; never a substitute',
  ),
  'birthdate-form': rule(
    'Birthdate が yyyyMMdd ではありません',
    'Birthdate is not yyyyMMdd',
    '西暦8桁で書く（例 19800217）',
    'eight digits of the Western calendar, such as 19800217',
  ),
  'nobody-asked': rule(
    '模擬データにいない人の番号です',
    'the numbers are of nobody in the test data',
    '資格確認結果のファイルにある番号を、記号・番号・枝番ともそのまま書く',
    'symbol, number and branch number exactly as they stand in a result file',
  ),
  'other-patient': rule(
    '照会の番号と生年月日が別々の患者のものです',
    'numbers and birth date are of two patients',
    '1人の患者の結果から番号と生年月日を取る。患者の取り違えになる',
    'numbers and birth date out of one result: anything else mixes patients',
  ),
  'chart-missing': rule(
    '新しい患者の照会番号（カルテ番号）が登録されていません',
    'the chart number of a new patient was not registered',
    'ReferenceNumber が空の結果を受けたら、カルテを作り OQSsiimm01req で登録する',
    'after a result with an empty ReferenceNumber make a chart and register it by OQSsiimm01req',
  ),
  'chart-changed': rule(
    '照会番号のある患者に別の番号を登録しました',
    'another chart number was registered for a patient who had one',
    'ReferenceNumber が入っている結果は、その番号のカルテに入れる',
    'a result that carries a ReferenceNumber belongs to that chart',
  ),
  'one-chart-for-two': rule(
    '2人の患者に同じ照会番号を登録しました',
    'two patients were given one chart number',
    '1つのカルテ番号は1人だけに使う。患者の取り違えになる',
    'one chart number, one person: anything else mixes patients',
  ),
  'two-charts-for-one': rule(
    '1人の患者に2つの照会番号を登録しました',
    'one patient was given two chart numbers',
    '同じ結果ファイルがもう一度来ても（再送）、2回目は何もしない。ArbitraryFileIdentifier で見分ける',
    'do nothing when the same result comes again: ArbitraryFileIdentifier tells',
  ),
  'chart-too-long': rule(
    'ReferenceNumber が50文字を超えています',
    'ReferenceNumber is longer than 50',
    '50文字までにする',
    '50 characters at most',
  ),
  'bulk-not-fetched': rule(
    '一括照会の結果を取りに来ていません',
    'the result of a 一括照会 was not fetched',
    'OQSmuquc01res の ReceptionNumber を使い、OQSmuquc02req を出す',
    'send OQSmuquc02req with the ReceptionNumber of OQSmuquc01res',
  ),
  'bulk-other-number': rule(
    '受け取っていない受付番号で結果を取りに来ました',
    'a result was asked for under a reception number that nobody gave',
    'OQSmuquc01res にある ReceptionNumber をそのまま使う',
    'the ReceptionNumber of OQSmuquc01res as it stands there',
  ),
  'face-file-changed': rule(
    'face/ の結果ファイルを書きかえました',
    'a result in face/ was changed',
    '読むだけにし、済んだら消すか別のフォルダへ移す',
    'only read it; delete or move it when it is done',
  ),
  'half-file-taken': rule(
    '書いている途中の結果ファイルを取りました',
    'a result was taken while it was written',
    '名前が OQSsiquc01res_face_ で始まり .xml で終わるものだけを読む',
    'read names alone that begin with OQSsiquc01res_face_ and end with .xml',
  ),
  'stranger-in-face': rule(
    'face/ か res/ に自分のファイルを置きました',
    'a file of its own was put into face/ or res/',
    'レセコンが書くのは req/ だけ',
    'a レセコン writes into req/ alone',
  ),
} as const satisfies Record<string, RuleWords>;
export type OqsRule = keyof typeof oqsRules;
