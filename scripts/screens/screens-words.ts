import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { forStaff } from '../../src/core/screen/draw-screen-failure.ts';
import type { ScreenModel, ScreenName } from '../../src/core/screen/screen-model.ts';

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether a text on the screen comes from the catalogue, filled in or not; figures and signs are no words. */
export const catalogueTexts = (catalogue: Catalogue, language: string, facilityName: string) => {
  const texts: Readonly<Record<string, string>> = catalogue.languages[language]?.texts ?? {};
  const failures = Object.entries(catalogue.failures).flatMap(([code, entry]) => [
    entry.notice ?? code,
    `${entry.staff.summary} {time}`,
    // On a screen that serves patients all the same, in one line.
    `${forStaff(catalogue)}：${entry.staff.summary}（{party}）`,
  ]);
  const sources = [
    ...Object.values(texts),
    ...failures,
    forStaff(catalogue),
    ...Object.values(catalogue.parties).map(({ name }) => name),
    ...Object.values(catalogue.languages).map(({ name }) => name),
    facilityName,
  ].filter((text) => text !== '');
  const pattern = new RegExp(
    `^(?:${sources.map((text) => escaped(text).replace(/\\\{[a-z]+\\\}/g, '.+?')).join('|')})$`,
    's',
  );
  const figures = /^[\d\s✓:]+$/;
  return (text: string): boolean => figures.test(text) || pattern.test(text);
};

/** Where who hears is told in other words what only eyes can use: the circle before the face, the time of a receipt. */
const saidOtherwise: ReadonlySet<ScreenName> = new Set(['face', 'accepted']);

/** Words that are drawn and not said. What is for staff and the frame are not read out on every screen. */
export const unspoken = (model: Omit<ScreenModel, 'revision'>, catalogue: Catalogue): readonly string[] => {
  const choices = model.controls.flatMap(({ spoken }) => (spoken === undefined ? [] : [spoken.text]));
  const said = [...model.speech.map(({ text }) => text), ...choices].join('\n');
  const isOtherwise = (words: string): boolean =>
    (words === model.heading && saidOtherwise.has(model.screen)) || words.startsWith(`${forStaff(catalogue)}：`);
  const named = model.controls.filter(({ weight }) => weight !== 'row');
  const { body } = model;
  const inBody =
    body.kind === 'items'
      ? body.items.flatMap(({ label, note }) => [label, note])
      : body.kind === 'summary'
        ? [body.providedTitle, ...body.provided, body.withheldTitle, ...body.withheld]
        : [];
  const drawn = [
    model.heading,
    ...model.lead,
    model.note,
    model.remaining,
    ...inBody,
    ...named.flatMap(({ label, note }) => [label, note ?? null]),
  ];
  return drawn.filter((words): words is string => words !== null && !isOtherwise(words) && !said.includes(words));
};
