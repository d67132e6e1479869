import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualSpeaker, type VirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';

/*
 * The screen is dark: whoever visits here hears what is said and presses keys, and this script does the same. It never
 * looks at the screen, and touches nothing.
 */

let bed: VisitBed;
let ear: VirtualSpeaker;
beforeEach(async () => {
  ear = createVirtualSpeaker();
  bed = await openVisitBed({ speaker: ear });
  askForVoice();
});
afterEach(() => bed.close());

const clear = 0x08;
const enter = 0x0d;
const digit = (value: number): number => 0x30 + value;

/** Nothing is said into an empty room: the first key asks, and does nothing else. */
const askForVoice = (): void => bed.keypad.press(digit(5));

/** Waits until these words have been said since the last call. */
const listener = () => {
  let from = 0;
  return async (words: string): Promise<void> => {
    const heard = (): number =>
      ear.said.findIndex((each, index) => index >= from && each.some(({ text }) => text.includes(words)));
    await until(`to hear "${words}", last heard "${ear.last}"`, () => heard() >= 0);
    from = heard() + 1;
  };
};

/** The number under which something was offered in what was said last as a whole. */
const numberOf = (label: string): number => {
  for (const words of [...ear.said].reverse()) {
    const choice = words.find(({ text }) => /^\d、/.test(text) && text.includes(label));
    if (choice !== undefined) return Number(choice.text[0]);
  }
  throw new Error(`${label} was never offered`);
};

/** Hears the number, presses it, hears the choice again, takes it. */
const chooseByNumber = (label: string): void => {
  bed.keypad.press(digit(numberOf(label)));
  expect(ear.last).toContain(label);
  bed.keypad.press(enter);
};

/** Walks until the choice is said, takes it. */
const chooseByWalking = (label: string): void => {
  for (let steps = 0; steps < 10; steps += 1) {
    bed.keypad.move('next');
    if (ear.last.includes(label)) return bed.keypad.move('choose');
  }
  throw new Error(`${label} was never said, last "${ear.last}"`);
};

const answers = [
  ['過去の医療情報を', '同意する'],
  ['「手術」の情報を', '同意しない'],
  ['特定疾病療養受療証の情報を提供しますか', '提供しない'],
] as const;

describe.each([
  ['number keys', chooseByNumber, 'digits', '番号のキーで選び'],
  ['four keys', chooseByWalking, 'four-keys', 'つぎへ、のキーで選び'],
] as const)('a visit by ear and %s', (name, choose, keys, howToAnswer) => {
  beforeEach(async () => {
    await bed.close();
    bed = await openVisitBed({ speaker: ear, keys });
    askForVoice();
  });
  const typePin = (digits: readonly number[]): void => {
    for (const value of digits) {
      if (name === 'number keys') bed.keypad.press(digit(value));
      else {
        for (let pressed = 0; pressed < value; pressed += 1) bed.keypad.move('next');
        bed.keypad.move('choose');
      }
    }
    if (name === 'number keys') bed.keypad.press(enter);
    else bed.keypad.move('choose');
  };
  const answerWhatIsAsked = async (hear: (words: string) => Promise<void>): Promise<void> => {
    for (const [question, answer] of answers) {
      await hear(question);
      choose(answer);
    }
    for (let more = 0; more < 6 && !ear.last.includes('これで受付する'); more += 1) {
      if (ear.all.includes('医療費助成') && ear.last.includes('利用する')) choose('利用しない');
      else if (ear.last.includes('紙の処方箋')) choose('紙の処方箋');
      else choose('つぎへ');
    }
    choose('これで受付する');
  };

  it('with the PIN', async () => {
    const hear = listener();
    await hear('マイナンバーカードをカードリーダーに置いてください。');
    await bed.insert('hanako');
    await hear('カードを読み取っています');
    await hear('本人確認の方法を選んでください');
    expect(ear.last).toContain(howToAnswer);
    expect(ear.last).toContain('言葉や音の大きさを変えられます');
    choose('暗証番号');
    await hear('4桁の暗証番号を入力してください');
    typePin([1, 2, 3, 4]);
    await answerWhatIsAsked(hear);
    await hear('受付できました');
    expect(ear.all).toContain('カードを忘れずに！');
    expect(bed.visits()).toMatchObject([
      { method: 'pin', verdict: 'accepted', consents: { SRJ: true, YZK: true, TKK: true, SHJ: false, TSR: false } },
    ]);
  });

  it('with the face', async () => {
    const hear = listener();
    await bed.insert('hanako');
    await hear('本人確認の方法を選んでください');
    choose('顔認証');
    await until('the camera', () => bed.face.watching);
    bed.face.say({ type: 'hint', hint: 'nearer' });
    await hear('もう少し 近づいてください');
    // A hint is new, the lines below it are not: they are said once.
    expect(ear.last).toContain('ほかの方法でも受付できます。');
    bed.face.say({ type: 'hint', hint: 'no-face' });
    await hear('画面の上にあるカメラに、顔を向けてください');
    expect(ear.last).not.toContain('ほかの方法でも受付できます。');
    bed.face.say({ type: 'matched' });
    await answerWhatIsAsked(hear);
    await hear('受付できました');
    expect(bed.visits()).toMatchObject([{ method: 'face', verdict: 'accepted' }]);
  });
});

it('says nothing that depends on a digit: two PINs sound the same', async () => {
  const soundsOf = async (pin: readonly number[]): Promise<string> => {
    askForVoice();
    const from = ear.said.length;
    const chimesFrom = ear.chimes.length;
    await bed.insert('hanako');
    await until('the choice', () => bed.state.name === 'choosingMethod');
    bed.keypad.press(digit(2));
    bed.keypad.press(enter);
    for (const value of pin) bed.keypad.press(digit(value));
    const sounds = JSON.stringify([ear.said.slice(from), ear.chimes.slice(chimesFrom)]);
    bed.keypad.press(clear);
    bed.reader.pull();
    await until('the pulled card', () => bed.state.name === 'interrupted');
    await bed.pass(30_000);
    await bed.see('idle');
    return sounds;
  };
  const first = await soundsOf([1, 2, 3, 4]);
  expect(first).toContain('4桁のうち4桁 入力しました');
  expect(first).toContain('["contact","key","key","key","key"]');
  expect(await soundsOf([9, 0, 0, 7])).toBe(first);
});

it('takes a choice only after it has been said: enter alone, or a PIN digit too many, answers nothing', async () => {
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.see('consent-bundle');
  const asked = JSON.stringify(bed.state);
  bed.keypad.press(enter);
  bed.keypad.press(digit(9));
  bed.keypad.press(digit(2));
  expect(JSON.stringify({ ...bed.state, deadlineMs: 0 })).toBe(JSON.stringify({ ...JSON.parse(asked), deadlineMs: 0 }));
  expect(bed.screen.now.focused).toBe(1);
});

it('reaches the receptionist from the PIN screen by keys', async () => {
  await bed.insert('hanako');
  await until('the choice', () => bed.state.name === 'choosingMethod');
  bed.keypad.press(digit(2));
  bed.keypad.press(enter);
  bed.keypad.press(clear);
  expect(ear.last).toContain('顔認証にする');
  bed.keypad.press(clear);
  expect(ear.last).toContain('受付の人を呼ぶ');
  bed.keypad.press(enter);
  expect(bed.state.name).toBe('awaitingStaffCheck');
});
