import { furiganaOf } from './furigana.ts';
import type { ScreenBody, ScreenModel } from './screen-model.ts';

const textsOfBody = (body: ScreenBody): readonly string[] => {
  switch (body.kind) {
    case 'items':
      return body.items.flatMap(({ label, note }) => [label, note]);
    case 'summary':
      return [body.providedTitle, body.withheldTitle, ...body.provided, ...body.withheld];
    default:
      return [];
  }
};

/** What of a screen is read by its visitor in the language of the visit. */
const textsOf = (drawn: Omit<ScreenModel, 'revision' | 'ruby'>): readonly string[] =>
  [
    ...[...drawn.steps, drawn.heading, ...drawn.lead, drawn.note, drawn.remaining, ...textsOfBody(drawn.body)],
    ...[...drawn.controls, ...drawn.tools].flatMap(({ label, note }) => [label, note]),
    ...[...drawn.footer, drawn.pinKeys?.clear, drawn.pinKeys?.enter],
  ].filter((text) => typeof text === 'string');

/** Furigana of everything that is drawn and whose reading is known. Beyond the texts of the catalogue (papers) none is. */
export const rubyOf = (
  drawn: Omit<ScreenModel, 'revision' | 'ruby'>,
  readings: ReadonlyMap<string, string>,
): ScreenModel['ruby'] =>
  readings.size === 0
    ? {}
    : Object.fromEntries(
        [...new Set(textsOf(drawn))].flatMap((text) => {
          const reading = readings.get(text);
          const pieces = reading === undefined || !/\p{Script=Han}/u.test(text) ? null : furiganaOf(text, reading);
          return pieces === null ? [] : [[text, pieces]];
        }),
      );
