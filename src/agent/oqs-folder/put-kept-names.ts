import { fillName, holdsPlaceholder, type NameElement, nameElements } from '../../protocol/oqs/oqs-names.ts';
import type { Qualification } from '../../protocol/oqs/oqs-xml-schema.ts';
import type { KeptNames, NamesByElement } from '../journal/kept-names.ts';

type Answer = { readonly referenceNumber: string; readonly qualifications: readonly Qualification[] };

type WithNames<T> = {
  readonly answer: T;
  /** Names that still hold ●, as they were sent */
  readonly open: NamesByElement;
  /** A name is kept under this 照会番号, and it is not the one that was sent */
  readonly differs: boolean;
};

/** Of the same person: the head of a household is often the patient, sent with the same ●. */
const rightName = (element: NameElement, sent: string, kept: NamesByElement, own: string | undefined) => {
  const known = kept[element] ?? (element === 'InsuredName' && sent === own ? kept.Name : undefined);
  return known === undefined ? undefined : fillName(sent, known);
};

/**
 * Puts the characters that staff entered in the place of ●, where the rest of the name is the same; another person's name
 * under the same number, or one that changed, stays as it was sent and is told.
 */
export const putKeptNames = <T extends Answer>(answer: T, names: KeptNames): WithNames<T> => {
  const kept = answer.referenceNumber === '' ? {} : names.of(answer.referenceNumber);
  const open: NamesByElement = {};
  let differs = false;
  let used = false;
  const qualifications = answer.qualifications.map((qualification) => {
    const filled: NamesByElement = {};
    for (const element of nameElements) {
      const sent = qualification[element];
      if (sent === undefined || !holdsPlaceholder(sent)) continue;
      const right = rightName(element, sent, kept, qualification.Name);
      if (typeof right === 'string') {
        filled[element] = right;
        used = true;
      } else {
        open[element] = sent;
        differs ||= right === null;
      }
    }
    return { ...qualification, ...filled };
  });
  if (used) names.used(answer.referenceNumber);
  return { answer: { ...answer, qualifications }, open, differs };
};
