import { failure } from '../../src/core/failure.ts';
import { japanDate } from '../../src/core/japan-time.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { Camera, Frame } from '../../src/ports/camera.ts';
import type { CardFrontReader } from '../../src/ports/card-front-reader.ts';
import { equalBytes } from '../../src/protocol/bytes.ts';
import { numberOfCardFront } from '../../src/protocol/card/card-front-text.ts';
import { plausibleVerificationNumberB } from '../../src/protocol/card/verification-number.ts';
import { type CardPlace, contrastOf, cutOut, findCard, type GreyPicture, toGrey } from './card-front-image.ts';
import { cardFrontLayout } from './card-front-layout.ts';
import { type CardFrontOcr, createCardFrontOcr } from './card-front-ocr.ts';

/** A face without any contrast where the photo should be is a back side; rendered cards have 12 to 60 there. */
const leastPhotoContrast = 8;

/** Of the two ways to hold a card found in a picture, the one with the photo in its place. */
const placeOf = (picture: GreyPicture): CardPlace | null => {
  const found = findCard(picture).map((place) => ({
    place,
    contrast: contrastOf(cutOut(picture, place, cardFrontLayout.photo, 3)),
  }));
  const [best] = found.sort((a, b) => b.contrast - a.contrast);
  return best !== undefined && best.contrast >= leastPhotoContrast ? best.place : null;
};

/** A reading takes about 0.2 s each way; a patient who still moves the card gets some tries. */
const patienceMs = 6000;

const unreadable = (detail: string) => err(failure('card.number-b-unreadable', detail));

/**
 * Reads 照合番号B from two pictures of the same card (the same one twice will do): each in its own way, and only if both
 * say the same and the number can be one. A wrong number spends one of ten tries of a citizen's card.
 */
export const readCardFront = async (
  ocr: CardFrontOcr,
  first: GreyPicture,
  second: GreyPicture,
  wallMs: number,
): Promise<Result<Uint8Array>> => {
  const [place, otherPlace] = [placeOf(first), placeOf(second)];
  if (place === null || otherPlace === null) return unreadable('no card in the picture');
  const fine = await ocr.read(first, place, 'fine');
  if (fine === null) return unreadable('a line is not readable');
  const coarse = await ocr.read(second, otherPlace, 'coarse');
  if (coarse === null) return unreadable('a line is not readable a second time');
  const number = numberOfCardFront(fine);
  const again = numberOfCardFront(coarse);
  const isSame = equalBytes(number, again);
  again.fill(0);
  if (isSame && plausibleVerificationNumberB(number, japanDate(wallMs).year)) return ok(number);
  number.fill(0);
  return unreadable(isSame ? 'not a possible number' : 'two readings differ');
};

/**
 * A second camera looks straight down on the card bed. Pictures and digits stay in memory and are overwritten; nothing
 * is fetched from anywhere. `wallMs` gives the wall clock.
 */
export const createTesseractCardFrontReader = async (
  camera: Camera,
  wallMs: () => number,
): Promise<CardFrontReader> => {
  const ocr = await createCardFrontOcr();

  const nextFrame = (signal: AbortSignal): Promise<GreyPicture | null> =>
    new Promise((resolve) => {
      const finish = (picture: GreyPicture | null): void => {
        unsubscribe();
        signal.removeEventListener('abort', giveUp);
        resolve(picture);
      };
      const giveUp = (): void => finish(null);
      let unsubscribe = (): void => undefined;
      if (signal.aborted) return resolve(null);
      signal.addEventListener('abort', giveUp);
      unsubscribe = camera.subscribe((event) => {
        if (event.type === 'frame') finish(toGrey(event.frame as Frame));
      });
    });

  const search = async (patience: AbortSignal): Promise<Result<Uint8Array>> => {
    let last: Result<Uint8Array> = unreadable('no picture of the card');
    while (!patience.aborted) {
      const [first, second] = [await nextFrame(patience), await nextFrame(patience)];
      if (first !== null && second !== null) last = await readCardFront(ocr, first, second, wallMs());
      first?.grey.fill(0);
      second?.grey.fill(0);
      if (last.ok) break;
    }
    return last;
  };

  return {
    readVerificationNumberB: async (signal) => {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
      // A model that gave up is one more reason to offer the PIN, never one to fall over.
      const found = search(patience).catch(() => unreadable('the models failed'));
      const given = Promise.withResolvers<Result<Uint8Array>>();
      // Whoever calls it off is answered at once; what the models still find is overwritten.
      const giveUp = (): void => {
        given.resolve(unreadable(signal.aborted ? 'called off' : 'not found in time'));
        void found.then((late) => {
          if (late.ok) late.value.fill(0);
        });
      };
      if (patience.aborted) giveUp();
      else patience.addEventListener('abort', giveUp, { once: true });
      void found.then((number) => {
        patience.removeEventListener('abort', giveUp);
        given.resolve(number);
      });
      return given.promise;
    },
    close: async () => {
      await ocr.close();
      await camera.close();
    },
  };
};
