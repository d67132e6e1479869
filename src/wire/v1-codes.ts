/**
 * Failure codes whose words in messages are those of the first release, so that a terminal and an agent of different
 * releases mean the same. ours → v1
 */
const v1Codes: Readonly<Record<string, string>> = {
  'card.number-b-unreadable': 'card.face-number-unreadable',
  'card.number-b-wrong': 'card.face-number-wrong',
  'card.number-b-tries-low': 'card.face-number-tries-low',
};
const ourCodes = Object.fromEntries(Object.entries(v1Codes).map(([ours, v1]) => [v1, ours]));

/** The code as a message of v1 says it. */
export const toV1Code = (code: string): string => v1Codes[code] ?? code;

/** The code of a message as everything of ours says it. */
export const fromV1Code = (code: string): string => ourCodes[code] ?? code;
