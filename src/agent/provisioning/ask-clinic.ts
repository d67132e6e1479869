import { type RequestOptions, request } from 'node:https';

/** A clinic's PC on the same network answers within a second; a firewall that drops everything never does. ms */
export const silentMs = 20_000;
/** Whoever gives an answer letter by letter is no clinic's PC. ms */
const longestMs = 60_000;
/** An answer holds the certificates of whoever makes cards, a MB at most. Letters */
const longestAnswer = 1_200_000;

/**
 * Posts JSON to the clinic's PC. Answers what came whole; throws where nothing does, and where an answer ends in its middle:
 * a terminal that waited for the rest would look at no stick and no letters any more.
 */
export const postToClinic = (
  options: RequestOptions,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const signal = AbortSignal.timeout(longestMs);
    const asked = request({ ...options, method: 'POST', headers, signal }, async (reply) => {
      try {
        let text = '';
        for await (const piece of reply) {
          text += String(piece);
          if (text.length > longestAnswer) throw new Error('too long an answer');
        }
        resolve({ status: reply.statusCode ?? 0, text });
      } catch (error) {
        reject(error);
      }
    });
    asked.setTimeout(silentMs, () => asked.destroy(new Error(`no answer within ${silentMs / 1_000} s`)));
    asked.on('error', reject);
    asked.end(body);
  });
