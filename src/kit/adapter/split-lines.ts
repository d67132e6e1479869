/** No answer of the port comes near it. In characters */
export const longestLine = 4 * 1024 * 1024;

/**
 * Output in pieces, as lines without their ends (LF or CR LF). A line that is too long is heard once, cut, and what follows of it
 * is passed over: an adapter that never ends one must not take the memory of whoever judges it.
 */
export const splitLines = (hear: (line: string) => void): ((piece: string) => void) => {
  let begun: string[] = [];
  let length = 0;
  let isCut = false;
  const add = (part: string): void => {
    if (isCut) return;
    begun.push(part.slice(0, longestLine - length));
    length += part.length;
    if (length <= longestLine) return;
    isCut = true;
    hear(begun.join(''));
    begun = [];
  };
  return (piece) => {
    const parts = piece.split('\n');
    for (const [index, part] of parts.entries()) {
      add(part);
      if (index === parts.length - 1) return;
      if (!isCut) hear(begun.join('').replace(/\r$/, ''));
      begun = [];
      length = 0;
      isCut = false;
    }
  };
};
