/** Asks a process, a page or a disk until there is an answer. Throws by name after `limitMs`. */
export const eventually = async <T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  limitMs = 30_000,
): Promise<T> => {
  const untilMs = performance.now() + limitMs;
  while (performance.now() < untilMs) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${limitMs / 1_000} s: ${what}`);
};
