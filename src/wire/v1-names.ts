/*
 * The names of version 1 of the messages, as first released: translated here, at the edge, and nowhere else. Version 1
 * names each 同意項目 by a key of its own (askTKK …), knows three kinds of facility, and refuses every key it does not know.
 */

const v1Asks = ['TKK', 'YZK', 'SRJ', 'SHJ', 'TSR'] as const;

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

/** What version 1 calls the failure code of a message, by its topic. Elsewhere it says `code`, as everything does today. */
const v1CodeNames = { state: 'failureCode', result: 'messageCode' } as const;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Settings by the names of version 1 become today's; anything else passes unchanged, for the schema to judge. */
export const settingsFromV1 = (written: unknown): unknown => {
  if (!isRecord(written) || !v1Asks.some((code) => `ask${code}` in written)) return written;
  const rest = { ...written };
  const asks: Record<string, unknown> = isRecord(written.asks) ? { ...written.asks } : {};
  for (const code of v1Asks) {
    // Named in both ways, which of the two counts is not ours to guess: the old name stays, and is refused.
    if (!(`ask${code}` in rest) || code in asks) continue;
    asks[code] = rest[`ask${code}`];
    delete rest[`ask${code}`];
  }
  return { ...rest, asks };
};

/** The other way: all five questions named; a later kind of facility becomes the nearest that version 1 has words for. */
export const settingsToV1 = (settings: unknown): unknown => {
  if (!isRecord(settings) || !isRecord(settings.asks)) return settings;
  const { asks, ...rest } = settings;
  return {
    ...rest,
    ...(rest.institutionType === 'visiting-nurse' && { institutionType: 'medical' }),
    ...Object.fromEntries(v1Asks.map((code) => [`ask${code}`, (asks as Record<string, unknown>)[code] === true])),
  };
};

const codeFromV1 = (name: string) => (message: unknown) => {
  if (!isRecord(message) || !(name in message) || 'code' in message) return message;
  const { [name]: code, ...rest } = message;
  return { ...rest, code: typeof code === 'string' ? (ourCodes[code] ?? code) : code };
};
export const stateFromV1 = codeFromV1(v1CodeNames.state);
export const resultFromV1 = codeFromV1(v1CodeNames.result);

/** A message's failure code by the name and in the word that version 1 has for it. */
export const codeToV1 = (leaf: string, message: object): object => {
  if (!isRecord(message) || typeof message.code !== 'string') return message;
  const { code, ...rest } = message;
  const name = leaf === 'state' || leaf === 'result' ? v1CodeNames[leaf] : 'code';
  return { ...rest, [name]: v1Codes[code as string] ?? code };
};
