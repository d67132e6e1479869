/*
 * The names of version 1 of the messages, as first released: translated here, at the edge, and nowhere else. Version 1
 * names each 同意項目 by a key of its own (askTKK …), knows three kinds of facility, and refuses every key it does not know.
 */

const v1Asks = ['TKK', 'YZK', 'SRJ', 'SHJ', 'TSR'] as const;

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
