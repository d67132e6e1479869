import type { ServerResponse } from 'node:http';
import type { Clinic } from './clinic.ts';
import type { Around } from './frame.ts';
import { ask } from './node/server-in-page.ts';

const text = (body: string | Uint8Array | undefined): string =>
  body === undefined ? '' : typeof body === 'string' ? body : new TextDecoder().decode(body);

/** Pages say where their files lie on their own server; here they lie beside this page. */
const withOwnFiles = (html: string): string =>
  html
    .replace('<head>', '<head><script src="frame.js"></script>')
    .replace('href="/staff-page.css"', 'href="staff-page.css"')
    .replace('src="/staff-page.js"', 'src="staff-page.js"')
    .replace('href="/fonts/fonts.css"', 'href="fonts/fonts.css"')
    .replace('href="/icon.svg"', 'href="data:,"');

const patientsPage = `<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>Uketsuke</title>
<link rel="stylesheet" href="fonts/fonts.css"><link rel="stylesheet" href="screen.css"></head><body><div id="page"></div><script src="screen.js"></script></body></html>`;

/** The two frames, and what the pages inside them have in the place of a server. */
export const frameAround = (
  clinic: Clinic,
  frames: { readonly screen: HTMLIFrameElement; readonly staff: HTMLIFrameElement },
): { readonly show: () => void } => {
  const get: Around['ask'] = async (method, address, body) => {
    const answer = await ask(method, address, body);
    return { status: answer.status, headers: answer.headers ?? {}, body: text(answer.body) };
  };
  const go = async (address: string): Promise<void> => {
    const { body } = await get('GET', address);
    frames.staff.srcdoc = withOwnFiles(body);
  };
  let stopListening = (): void => {};
  const around: Around = {
    openScreen: (hear) => {
      clinic.glass.admit(hear);
      return (message) => clinic.glass.receive(message);
    },
    ask: get,
    listen: (hear) => {
      stopListening();
      const events = { write: hear, on: (_: string, close: () => void) => (stopListening = close), end: () => {} };
      void ask('GET', '/events').then(({ stream }) => stream?.(events as unknown as ServerResponse));
    },
    go: (address) => void go(address),
  };
  Object.assign(globalThis, { uketsuke: around });
  return {
    show: () => {
      frames.screen.srcdoc = patientsPage;
      void go('/');
    },
  };
};
