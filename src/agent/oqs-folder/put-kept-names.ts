import { fillName, holdsPlaceholder, type NameElement, nameElements } from '../../protocol/oqs/oqs-names.ts';
import type { Qualification } from '../../protocol/oqs/oqs-xml-schema.ts';
import type { KeptNames, NamesByElement } from '../journal/kept-names.ts';

/** Names as a file holds them, whatever else stands beside them. */
type Named = { readonly [element in NameElement]?: string | undefined };

type Filled = {
  readonly filled: NamesByElement;
  /** Names that still hold ●, as they were sent */
  readonly open: NamesByElement;
  /** A name is kept, and it is not the one that was sent */
  readonly differs: boolean;
};

/** Of the same person: the head of a household is often the patient, sent with the same ●. */
const rightName = (element: NameElement, sent: string, kept: NamesByElement, own: string | undefined) => {
  const known = kept[element] ?? (element === 'InsuredName' && sent === own ? kept.Name : undefined);
  return known === undefined ? undefined : fillName(sent, known);
};

/**
 * The characters that staff entered in the place of ●, where the rest of the name is the same; another person's name
 * under the same number, or one that changed, stays open.
 */
export const fillNames = (named: Named, kept: NamesByElement): Filled => {
  const filled: NamesByElement = {};
  const open: NamesByElement = {};
  let differs = false;
  for (const element of nameElements) {
    const sent = named[element];
    if (sent === undefined || !holdsPlaceholder(sent)) continue;
    const right = rightName(element, sent, kept, named.Name);
    if (typeof right === 'string') filled[element] = right;
    else {
      open[element] = sent;
      differs ||= right === null;
    }
  }
  return { filled, open, differs };
};

/**
 * The answer with its names filled from what is kept under its 照会番号. Writes nothing: whoever has written the file says
 * that the names were used (`isUsed`), which keeps them for longer. `open`: one entry for each qualification that has any.
 */
export const putKeptNames = <
  T extends { readonly referenceNumber: string; readonly qualifications: readonly Qualification[] },
>(
  answer: T,
  names: KeptNames,
): {
  readonly answer: T;
  readonly open: readonly NamesByElement[];
  readonly differs: boolean;
  readonly isUsed: boolean;
} => {
  const kept = answer.referenceNumber === '' ? {} : names.of(answer.referenceNumber);
  const each = answer.qualifications.map((one) => ({ one, ...fillNames(one, kept) }));
  return {
    answer: { ...answer, qualifications: each.map(({ one, filled }) => ({ ...one, ...filled })) },
    open: each.map(({ open }) => open).filter((open) => Object.keys(open).length > 0),
    differs: each.some(({ differs }) => differs),
    isUsed: each.some(({ filled }) => Object.keys(filled).length > 0),
  };
};
