import type { FailureEntry } from '../../core/catalogue/catalogue.ts';
import type { FailureCode } from '../../core/failure.ts';
import type { PageModel } from './page-model.ts';

/** What the catalogue tells staff about a code that came in a message; undefined: a code it does not know. */
export const failureTexts = ({ catalogue }: PageModel, code: string | null | undefined): FailureEntry | undefined => {
  const { failures } = catalogue();
  return code != null && Object.hasOwn(failures, code) ? failures[code as FailureCode] : undefined;
};
