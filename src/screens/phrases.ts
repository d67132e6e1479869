import { jaModel, Parser, zhHansModel, zhHantModel } from 'budoux';
import type { Control, ScreenBody, ScreenModel } from '../core/screen/screen-model.ts';

/** Zero width space: a line may break here (style/base.css forbids it elsewhere between letters). */
export const mayBreak = '\u200B';

/** やさしい日本語 has spaces between its phrases, but for the ends of sentences. */
const afterSentences = { parse: (text: string): string[] => text.split(/(?<=[、。])/) };
/** Languages written without spaces. Others break at theirs. */
const parsers: Readonly<Record<string, Pick<Parser, 'parse'>>> = {
  ja: new Parser(jaModel),
  'ja-easy': afterSentences,
  'zh-Hans': new Parser(zhHansModel),
  'zh-Hant': new Parser(zhHantModel),
};

/** Text whose lines break between phrases only. */
const phrased = (language: string) => {
  const parser = parsers[language];
  return (text: string): string => (parser === undefined ? text : parser.parse(text).join(mayBreak));
};

const bodyInPhrases = (body: ScreenBody, of: (text: string) => string): ScreenBody => {
  switch (body.kind) {
    case 'items':
      return { ...body, items: body.items.map(({ label, note }) => ({ label: of(label), note: of(note) })) };
    case 'summary':
      return {
        ...body,
        providedTitle: of(body.providedTitle),
        provided: body.provided.map(of),
        withheldTitle: of(body.withheldTitle),
        withheld: body.withheld.map(of),
      };
    case 'code':
      return { ...body, lines: body.lines.map(phrased('ja')) };
    default:
      return body;
  }
};

/** The model with every sentence in phrases; what is sent back and compared (ids, values, codes) stays as it is. */
export const inPhrases = (shown: ScreenModel): ScreenModel => {
  const of = phrased(shown.language);
  const control = (each: Control): Control => ({
    ...each,
    // A row is a paper of the patient's, in Japanese whatever the language.
    label: (each.weight === 'row' ? phrased('ja') : of)(each.label),
    ...(each.note === undefined ? {} : { note: of(each.note) }),
  });
  return {
    ...shown,
    heading: of(shown.heading),
    lead: shown.lead.map(of),
    note: shown.note === null ? null : of(shown.note),
    remaining: shown.remaining === null ? null : of(shown.remaining),
    body: bodyInPhrases(shown.body, of),
    controls: shown.controls.map(control),
    footer: [of(shown.footer[0]), of(shown.footer[1])],
  };
};
