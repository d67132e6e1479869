import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCard, toGrey } from '../../drivers/card-front-reader/card-front-image.ts';
import { type CardFrontOcr, createCardFrontOcr } from '../../drivers/card-front-reader/card-front-ocr.ts';
import {
  createTesseractCardFrontReader,
  readCardFront,
} from '../../drivers/card-front-reader/tesseract-card-front-reader.ts';
import { type CardPrint, type CardScene, renderCardFront } from '../../drivers/virtual/card-front-renderer.ts';
import type { Camera, CameraEvent, Frame } from '../../src/ports/camera.ts';
import { toAscii } from '../../src/protocol/bytes.ts';
import {
  numberOfCardFront,
  parseBirthLine,
  parseExpiryLine,
  parseSecurityCode,
} from '../../src/protocol/card/card-front-text.ts';

const print: CardPrint = {
  name: '髙﨑 花子',
  birth: { era: '昭和', year: 55, month: 2, day: 17 },
  expiry: { year: 2035, month: 2, day: 17 },
  securityCode: '2285',
};
const flat: CardScene = { angle: 2, shiftX: 10, shiftY: -5, pixelsPerMm: 11.8, brightness: 0.95, noise: 6, seed: 5 };
const now = Date.parse('2026-11-21T03:00:00Z');

/** A camera that shows the same still frames over and over, one at a time, when asked. */
const stillCamera = (next: () => Frame | null): Camera => ({
  subscribe: (listener: (event: CameraEvent) => void) => {
    const frame = next();
    const timer = frame === null ? null : setImmediate(() => listener({ type: 'frame', frame }));
    return () => {
      if (timer !== null) clearImmediate(timer);
    };
  },
  close: async () => undefined,
});

describe('what is printed, as text', () => {
  test.each([
    ['昭和55年2月17日生', { year: 55, month: 2, day: 17 }],
    [' 昭 和 55 年 2 月 17 日 生\n', { year: 55, month: 2, day: 17 }],
    ['平成元年3月31日生', { year: 1, month: 3, day: 31 }],
    ['信和5年1月9日生', { year: 5, month: 1, day: 9 }],
    ['55年2月17日生', null],
    ['昭和55年2月17日', null],
    ['昭和155年2月17日生', null],
    ['昭和55年217日生', null],
    ['1980年2月17日生', null],
    ['', null],
  ])('%s', (text, birth) => {
    expect(parseBirthLine(text)).toEqual(birth);
  });

  test('expiry and code', () => {
    expect(parseExpiryLine('2035 年 2 月 17 日 まで 有効')).toBe(2035);
    expect(parseExpiryLine('035年2月17日まで有効')).toBeNull();
    expect(parseExpiryLine('2035年2月17日まで')).toBeNull();
    expect(parseSecurityCode(' 0047\n')).toBe('0047');
    for (const wrong of ['228', '22855', '22 8', '228S']) expect(parseSecurityCode(wrong)).toBeNull();
    expect(
      toAscii(numberOfCardFront({ birth: { year: 1, month: 3, day: 31 }, expiryYear: 2030, securityCode: '0047' })),
    ).toBe('01033120300047');
  });
});

describe('rendered cards', () => {
  let ocr: CardFrontOcr;
  beforeAll(async () => {
    ocr = await createCardFrontOcr();
  });
  afterAll(() => ocr?.close());

  const read = async (scene: Partial<CardScene>, printed: CardPrint = print) => {
    const frame = await renderCardFront(printed, { ...flat, ...scene });
    const number = await readCardFront(ocr, toGrey(frame()), toGrey(frame()), now);
    return number.ok ? toAscii(number.value) : number.failure.code;
  };

  test.each([0, -5, 5, 178, 14])('turned by %i°', async (angle) => {
    expect(await read({ angle })).toBe('55021720352285');
  });

  test('the first year of an era', async () => {
    expect(await read({}, { ...print, birth: { era: '平成', year: 1, month: 3, day: 31 }, securityCode: '0047' })).toBe(
      '01033120350047',
    );
  });

  test.each([
    ['back side', { isBackSide: true }],
    ['too blurred', { blurSigma: 5 }],
    ['glare on the code', { glare: { x: 70, y: 45, radius: 14, strength: 1 } }],
    ['in a hazy case', { caseHaze: 1 }],
    ['half out of the picture', { shiftX: 500 }],
    ['far away', { pixelsPerMm: 4 }],
  ] as const)('%s: refused, not guessed', async (_, scene) => {
    expect(await read(scene)).toBe('card.number-b-unreadable');
  });

  test('a number that cannot be: refused', async () => {
    expect(await read({}, { ...print, expiry: { ...print.expiry, year: 2060 } })).toBe('card.number-b-unreadable');
  });

  test('a card swapped for another between the two pictures: refused', async () => {
    const [mine, theirs] = [
      await renderCardFront(print, flat),
      await renderCardFront({ ...print, securityCode: '2286' }, flat),
    ];
    expect(await readCardFront(ocr, toGrey(mine()), toGrey(theirs()), now)).toMatchObject({
      ok: false,
      failure: { code: 'card.number-b-unreadable', detail: 'two readings differ' },
    });
  });

  test('an empty bed shows no card', async () => {
    const frame = (await renderCardFront(print, { ...flat, pixelsPerMm: 0.001 }))();
    expect(findCard(toGrey(frame))).toEqual([]);
  });

  test('the reader finds the number in the frames of its camera, and ends at once when called off', async () => {
    const frame = await renderCardFront(print, flat);
    let isDark = true;
    const reader = await createTesseractCardFrontReader(
      stillCamera(() => (isDark ? null : frame())),
      () => now,
    );
    const calledOff = new AbortController();
    const waiting = reader.readVerificationNumberB(calledOff.signal);
    calledOff.abort();
    expect(await waiting).toMatchObject({
      ok: false,
      failure: { code: 'card.number-b-unreadable', detail: 'called off' },
    });
    isDark = false;
    const number = await reader.readVerificationNumberB(new AbortController().signal);
    expect(number.ok && toAscii(number.value)).toBe('55021720352285');
    await reader.close();
  });
});
