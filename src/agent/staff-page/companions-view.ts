import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';

/** What the terminal itself does for whoever comes with somebody, or cannot do what it asks; the staff guide says the same. */
export const companionsTexts: readonly (readonly [string, readonly string[]])[] = [
  [
    'お子さまと来られた方',
    [
      'カードリーダーには、お子さまのカードを置いてください。',
      '1歳未満で作ったカードには顔写真がありません。顔認証は出ないので、暗証番号か、受付の人による確認を選んでください。',
      '抱き上げて顔認証を試せます。おひとりだけ、画面の丸の中に入ってください。',
    ],
  ],
  [
    'ご家族・介助の方',
    [
      '暗証番号を入力できるのは、ご本人と、ご本人に代わって入力してよい方です。続けて3回まちがえると使えなくなります。',
      '暗証番号を、受付の職員に教えたり、入力を頼んだりしないでください。受付の人による確認なら、暗証番号はいりません。',
      '同意するかどうかは、ご本人の気持ちを確かめてから押してください。同意しなくても受診できます。',
      'ご本人が来られないときは、機械では受付できません。窓口でご相談ください。',
    ],
  ],
  [
    '車いすの方・背の低い方',
    [
      '画面のいちばん下、右の端のボタンで、押すところがすべて画面の下に集まります。',
      '座ったままで顔認証を試せます。顔が画面の丸に入らないときは、少し後ろへ下がってください。',
      'それでも入らないときや、背もたれを倒しているときは、暗証番号か、受付の人による確認を選んでください。',
    ],
  ],
  [
    '目や耳の不自由な方',
    [
      '音声のボタン、テンキーのどれかのキー、またはイヤホンで、画面を読み上げます。',
      '音声で伝えることは、すべて画面にも書いてあります。',
    ],
  ],
  ['困ったとき', ['どの画面にも、受付の人を呼ぶボタンがあります。']],
];

/** Beside it, for staff, on no paper: who may type for whom is the clinic's to say. */
export const companionsForStaff: readonly string[] = [
  '暗証番号を、職員が聞いたり、代わりに押したりしないでください。目視確認なら暗証番号はいりません。',
  'ご本人に代わって暗証番号を入力してよい方（親権者、成年後見人、ご本人に頼まれたご家族など）の範囲は、この製品では決めていません。国の最新の案内で確かめて、院内で決めてください。',
  '画面の下に集まった操作は、次の患者さまから自動で元に戻ります。',
  '患者さまは、どの画面からも受付を呼べます。「すぐ行きます」を押すと画面に伝わり、応じるまでの時間が「月の集計」に残ります。そのあと、もう一度呼ぶこともできます。',
];

/** 「付き添いの方へ」: to print and put beside the terminal. */
export const companionsPage = (model: PageModel): Markup => html`<section class="slip">
    ${companionsTexts.map(
      ([who, sentences]) => html`<h2>${who}</h2><ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`,
    )}
    <p class="mute">${model.context.settings().facilityName}</p></section>
  <section class="for-staff mute"><h2>受付の方へ</h2><ul>${companionsForStaff.map((sentence) => html`<li>${sentence}</li>`)}</ul></section>`;
