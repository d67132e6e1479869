import type { RuleWords } from '../finding.ts';

const rule = (wrongJa: string, rightJa: string, wrongEn: string): RuleWords => ({
  wrong: { ja: wrongJa, en: wrongEn },
  right: { ja: rightJa, en: 'the Japanese report says what is right' },
});

/** What a レセコン must keep to in the shared folder; where sources are silent, what the official software is known to bear. */
export const oqsRules = {
  'name-unknown': rule(
    'req/ に照会ファイルの名前ではないファイルがあります',
    'OQSsiquc01req_、OQSmuquc01req_、OQSmuquc02req_、OQSsiimm01req_、OQSmuimm01req_ のどれかで始まり .xml で終わる名前にする',
    'a file in req/ has no name of a request',
  ),
  'kind-unknown': rule(
    'この受付では答えられない種類の照会です',
    '資格確認（OQSsiquc01、OQSmuquc01、OQSmuquc02）と照会番号登録（OQSsiimm01、OQSmuimm01）だけを書く',
    'a request of a kind that nobody answers here',
  ),
  'half-written': rule(
    '書いている途中のファイルが .xml の名前で見えました',
    '別の名前（.tmp など）か別のフォルダに書きおわってから、.xml の名前に変える（rename）',
    'a request was seen under its own name while it was written',
  ),
  'encoding-mismatch': rule(
    'XML 宣言の文字コードと中身が違います',
    '宣言が Shift_JIS なら中身も Shift_JIS、UTF-8 なら UTF-8 で書く',
    'the declaration names another encoding than the bytes have',
  ),
  'encoding-undeclared': rule(
    'XML 宣言に文字コードがありません',
    '<?xml version="1.0" encoding="Shift_JIS" standalone="no"?> から始める',
    'no encoding is declared',
  ),
  'character-code': rule(
    'CharacterCodeIdentifier が文字コードと合いません',
    'UTF-8 は 0、Shift_JIS は 1',
    'CharacterCodeIdentifier is not that of the encoding',
  ),
  'not-well-formed': rule(
    'XML として読めません、または必要な要素がありません',
    'ルートは XmlMsg、その下に MessageHeader と MessageBody。仕様の要素名と桁数で書く',
    'it cannot be read as XML of its layout',
  ),
  'institution-code': rule(
    'MedicalInstitutionCode が10桁の医療機関コードではありません',
    '都道府県番号2桁・点数表番号1桁・医療機関等コード7桁の計10桁',
    'MedicalInstitutionCode is not the ten digits of the institution',
  ),
  'identifier-missing': rule(
    'ArbitraryFileIdentifier がありません',
    '照会ごとに違う値を入れる。回答に同じ値が返り、取り違えを防げる',
    'ArbitraryFileIdentifier is missing',
  ),
  'identifier-twice': rule(
    '2つの照会に同じ ArbitraryFileIdentifier が使われました',
    '照会ごとに違う値を入れる。同じ値の回答は取り違えのもとになる',
    'two requests have one ArbitraryFileIdentifier',
  ),
  'unknown-element': rule(
    '仕様にない要素があります',
    '仕様の要素だけを書く。公式のソフトは受け付けないことがある',
    'an element that is not in the layout',
  ),
  'element-order': rule(
    '要素の順番が仕様と違います',
    '仕様の順に書く（MessageHeader、MessageBody の順。中の要素も同じ）',
    'elements are not in the order of the layout',
  ),
  'insurer-number': rule(
    'InsurerNumber が8桁（左を空白で埋める）ではありません',
    '6桁の番号は先頭に半角空白2つを付けて8文字にする。ゼロでは埋めない',
    'InsurerNumber is not eight characters, left-padded with blanks',
  ),
  'full-width': rule(
    '数字が全角です',
    '番号・日付・枝番は半角数字で書く（記号の全角はそのままでよい）',
    'digits are in full width',
  ),
  'lost-character': rule(
    '文字が失われています（?、〓、●）',
    '文字コードにない字は文字参照（&#x9AD9; など）で書く。置きかえない',
    'a character was lost',
  ),
  'birthdate-form': rule(
    'Birthdate が yyyyMMdd ではありません',
    '西暦8桁で書く（例 19800217）',
    'Birthdate is not yyyyMMdd',
  ),
  'nobody-asked': rule(
    '模擬データにいない人の番号です',
    '資格確認結果のファイルにある番号を、記号・番号・枝番ともそのまま書く',
    'the numbers are of nobody in the test data',
  ),
  'other-patient': rule(
    '照会の番号と生年月日が別々の患者のものです',
    '1人の患者の結果から番号と生年月日を取る。患者の取り違えになる',
    'numbers and birth date are of two patients',
  ),
  'chart-missing': rule(
    '新しい患者の照会番号（カルテ番号）が登録されていません',
    'ReferenceNumber が空の結果を受けたら、カルテを作り OQSsiimm01req で登録する',
    'the chart number of a new patient was not registered',
  ),
  'chart-changed': rule(
    '照会番号のある患者に別の番号を登録しました',
    'ReferenceNumber が入っている結果は、その番号のカルテに入れる',
    'another chart number was registered for a patient who had one',
  ),
  'one-chart-for-two': rule(
    '2人の患者に同じ照会番号を登録しました',
    '1つのカルテ番号は1人だけに使う。患者の取り違えになる',
    'two patients were given one chart number',
  ),
  'two-charts-for-one': rule(
    '1人の患者に2つの照会番号を登録しました',
    '同じ結果ファイルがもう一度来ても（再送）、2回目は何もしない。ArbitraryFileIdentifier で見分ける',
    'one patient was given two chart numbers',
  ),
  'chart-too-long': rule(
    'ReferenceNumber が50文字を超えています',
    '50文字までにする',
    'ReferenceNumber is longer than 50',
  ),
  'bulk-not-fetched': rule(
    '一括照会の結果を取りに来ていません',
    'OQSmuquc01res の ReceptionNumber を使い、OQSmuquc02req を出す',
    'the result of a 一括照会 was not fetched',
  ),
  'bulk-other-number': rule(
    '受け取っていない受付番号で結果を取りに来ました',
    'OQSmuquc01res にある ReceptionNumber をそのまま使う',
    'a result was asked for under a reception number that nobody gave',
  ),
  'face-file-changed': rule(
    'face/ の結果ファイルを書きかえました',
    '読むだけにし、済んだら消すか別のフォルダへ移す',
    'a result in face/ was changed',
  ),
  'half-file-taken': rule(
    '書いている途中の結果ファイルを取りました',
    '名前が OQSsiquc01res_face_ で始まり .xml で終わるものだけを読む',
    'a result was taken while it was written',
  ),
  'stranger-in-face': rule(
    'face/ か res/ に自分のファイルを置きました',
    'レセコンが書くのは req/ だけ',
    'a file of its own was put into face/ or res/',
  ),
} as const satisfies Record<string, RuleWords>;
export type OqsRule = keyof typeof oqsRules;
