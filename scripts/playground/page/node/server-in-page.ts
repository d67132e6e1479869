import type { LocalAnswer, LocalRequest } from '../../../../src/web/local-server.ts';

/* Stands in for the house's HTTP server: what it would send to a browser on loopback, the page asks for directly. */
type Options = {
  readonly answer: (request: LocalRequest) => LocalAnswer | Promise<LocalAnswer>;
};

let answer: Options['answer'] | null = null;

export const startLocalServer = async (options: Options) => {
  answer = options.answer;
  return { port: 0, origins: [], close: async () => {} };
};

/** As a browser asks that has this page open. */
export const ask = async (method: LocalRequest['method'], address: string, body = ''): Promise<LocalAnswer> => {
  if (answer === null) return { status: 503 };
  const { pathname, searchParams } = new URL(address, 'http://127.0.0.1/');
  return answer({ method, path: pathname, query: searchParams, isFromOwnPage: true, body: Buffer.from(body) });
};
