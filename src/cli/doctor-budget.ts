/* Whoever asks the doctor is a person who waits: one time for everything, on a machine that has none, too. */

/** Of the 5 s that it may take, the start of this process and all; the rest is for telling it. ms */
const wholeMs = 4_300;
/** As little is given to the checks even where the start took long. ms */
const leastMs = 2_000;

/** What is left; `performance.now()` counts from the start of the process. What has not answered by then is told as such. */
export const leftMs = (): number => Math.max(leastMs, wholeMs - performance.now());
