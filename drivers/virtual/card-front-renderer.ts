import sharp from 'sharp';
import type { Frame } from '../../src/ports/camera.ts';
import type { JapaneseDate } from '../../src/protocol/card/verification-number.ts';
import { cardFrontLayout, cardSize } from '../card-front-reader/card-front-layout.ts';
import { drawWithOwnFonts } from './own-fonts.ts';
import { randomFrom } from './random-from.ts';

/** What is printed. */
export type CardPrint = {
  readonly name: string;
  readonly birth: JapaneseDate;
  readonly expiry: { readonly year: number; readonly month: number; readonly day: number };
  readonly securityCode: string;
};

/** How the card lies under the second camera. Angles in degrees, lengths in pixels of the frame, strengths 0 … 1. */
export type CardScene = {
  readonly angle: number;
  readonly shiftX: number;
  readonly shiftY: number;
  readonly pixelsPerMm: number;
  readonly brightness: number;
  readonly isBackSide?: boolean;
  /** A bright spot: centre in mm on the card, radius in mm. */
  readonly glare?: { readonly x: number; readonly y: number; readonly radius: number; readonly strength: number };
  readonly blurSigma?: number;
  /** A soft case with a rim, a haze and streaks. */
  readonly caseHaze?: number;
  readonly noise: number;
  readonly seed: number;
};

const frameSize = { width: 1280, height: 960 } as const;

const escapeText = (text: string): string => text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Text whose line fills its box from the left, as on the card. */
const printed = (text: string, box: { x: number; y: number; height: number }, size: number): string =>
  `<text x="${box.x + 1}" y="${box.y + box.height / 2 + size * 0.38}" font-size="${size}" fill="#2b2b30">${escapeText(text)}</text>`;

const waves = Array.from(
  { length: 18 },
  (_, index) =>
    `<path d="M0 ${3 * index} Q 20 ${3 * index - 5} 43 ${3 * index} T 86 ${3 * index}" stroke="#e2cfdc" stroke-width="0.12" fill="none"/>`,
).join('');

const frontSide = ({ name, birth, expiry, securityCode }: CardPrint, random: () => number): string => {
  const { photo, birthDate, expiry: expiryBox, securityCode: codeBox } = cardFrontLayout;
  const year = birth.year === 1 ? '元' : `${birth.year}`;
  const shade = (): string => `hsl(${Math.round(random() * 360)} 25% ${Math.round(25 + random() * 40)}%)`;
  return [
    waves,
    `<text x="28" y="6.5" font-size="3" fill="#7d5a70">個人番号カード 見本</text>`,
    `<text x="6" y="12.5" font-size="3.2" fill="#2b2b30">氏名 ${escapeText(name)}</text>`,
    `<text x="6" y="18" font-size="2.4" fill="#2b2b30">住所 架空県見本市試験町1丁目2番3号</text>`,
    `<rect x="${photo.x}" y="${photo.y}" width="${photo.width}" height="${photo.height}" fill="${shade()}"/>`,
    `<ellipse cx="${photo.x + 10.5}" cy="${photo.y + 12}" rx="6" ry="8" fill="#c9a48c"/>`,
    `<rect x="${photo.x + 2}" y="${photo.y + 21}" width="17" height="7" fill="${shade()}"/>`,
    printed(`${birth.era}${year}年${birth.month}月${birth.day}日生`, birthDate, 2.6),
    printed(`${expiry.year}年${expiry.month}月${expiry.day}日まで有効`, expiryBox, 2.6),
    `<text x="30.5" y="46" font-size="2" fill="#2b2b30">見本市長</text>`,
    printed(securityCode, codeBox, 2.9),
  ].join('');
};

const backSide = (): string =>
  [
    waves,
    '<rect x="0" y="4" width="85.6" height="9" fill="#3a3238"/>',
    '<text x="8" y="22" font-size="3" fill="#2b2b30">見本 裏面</text>',
    '<rect x="64" y="20" width="14" height="14" fill="#444"/>',
    '<rect x="8" y="26" width="12" height="10" rx="1" fill="#c8a848"/>',
  ].join('');

/**
 * A test card as the camera over the bed sees it: each call of the answer is a frame with noise of its own, 1280×960 RGB,
 * visibly a specimen.
 */
export const renderCardFront = async (print: CardPrint, scene: CardScene): Promise<() => Frame> => {
  drawWithOwnFonts();
  const random = randomFrom(scene.seed);
  const { width, height } = frameSize;
  const scale = scene.pixelsPerMm;
  const place = `translate(${width / 2 + scene.shiftX} ${height / 2 + scene.shiftY}) rotate(${scene.angle}) scale(${scale}) translate(${-cardSize.width / 2} ${-cardSize.height / 2})`;
  const { glare, caseHaze = 0 } = scene;
  const over = [
    caseHaze > 0
      ? `<rect x="-4" y="-4" width="93.6" height="62" rx="4" fill="#cfd4d8" opacity="${0.35 * caseHaze}"/>` +
        Array.from({ length: 5 }, () => {
          const x = random() * 80;
          return `<path d="M${x} -4 l${6 + random() * 10} 62" stroke="#fff" stroke-width="${0.4 + random() * 2}" opacity="${0.6 * caseHaze}"/>`;
        }).join('')
      : '',
    glare === undefined
      ? ''
      : `<radialGradient id="g"><stop offset="0" stop-color="#fff" stop-opacity="${glare.strength}"/><stop offset="0.5" stop-color="#fff" stop-opacity="${glare.strength * 0.8}"/><stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient><circle cx="${glare.x}" cy="${glare.y}" r="${glare.radius}" fill="url(#g)"/>`,
  ].join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="Noto Sans JP">
    <rect width="100%" height="100%" fill="#34363a"/>
    <clipPath id="c"><rect width="${cardSize.width}" height="${cardSize.height}" rx="3"/></clipPath>
    <g transform="${place}"><g clip-path="url(#c)"><rect width="${cardSize.width}" height="${cardSize.height}" rx="3" fill="#f0e6ec"/>
    ${scene.isBackSide === true ? backSide() : frontSide(print, random)}</g>${over}</g></svg>`;
  let image = sharp(Buffer.from(svg)).removeAlpha().linear(scene.brightness, 0);
  if (scene.blurSigma !== undefined && scene.blurSigma >= 0.3) image = image.blur(scene.blurSigma);
  const still = new Uint8Array(await image.raw().toBuffer());
  /** Luminance noise: the same for the three colours of a pixel. */
  const noisy = (): Uint8Array => {
    const rgb = still.slice();
    for (let at = 0; at < rgb.length; at += 3) {
      const noise = (random() + random() - 1) * scene.noise;
      for (let channel = at; channel < at + 3; channel++)
        rgb[channel] = Math.max(0, Math.min(255, (rgb[channel] ?? 0) + noise));
    }
    return rgb;
  };
  return () => ({ width, height, rgb: noisy(), capturedAtMs: 0 });
};
