import { readFileSync } from 'node:fs';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { Failure } from '../../core/failure.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import { Unopened } from '../../storage/sqlite-engine.ts';
import { startLocalServer } from '../../web/local-server.ts';
import { fontStyle, pageFonts } from '../../web/served-fonts.ts';
import type { Journal } from '../journal/journal.ts';
import { html, type Markup } from './html.ts';

type JournalWait = {
  /** Throws `Unopened` when nobody can run with what is there */
  readonly open: () => Journal;
  /** The staff page's own port */
  readonly port: number;
  readonly catalogue: () => Catalogue;
  readonly clock: Clock;
  readonly log: EventLog;
  /** The page says what is wrong, told for each new fault: whoever watches over this process need not end it for being late */
  readonly waiting?: (code: string) => void;
};

/** A disk that comes back, a file that was put in its place: looked for this often. ms */
const againMs = 5_000;

const view = ({ code, detail = '' }: Failure, catalogue: Catalogue): Markup => {
  const { staff, technician } = catalogue.failures[code];
  return html`<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>受付モニター</title><link rel="stylesheet" href="${fontStyle}"><link rel="stylesheet" href="/staff-page.css"></head>
<body><main><h1>受付を始められません：${staff.summary}</h1>
<p>${staff.cause}</p>
<ol>${staff.steps.map((step) => html`<li>${step}</li>`)}</ol>
<p>直ると、この画面は自動で元に戻ります。それまで端末は受付をしません。</p>
<h2>保守の担当者へ</h2>
<p><code>${code} ${detail}</code></p><p lang="en">${technician.cause}</p>
<ol lang="en">${technician.steps.map((step) => html`<li>${step}</li>`)}</ol></main></body></html>`;
};

/**
 * The journal as soon as it can be opened. Until then nothing is accepted: a receipt promises what the journal cannot
 * keep. Staff find the fault and who mends it where their page is; a process that ends and is started again and again
 * would show them nothing.
 */
export const awaitJournal = async ({ open, port, catalogue, clock, log, waiting }: JournalWait): Promise<Journal> => {
  let fault: Failure | null = null;
  const attempt = (): Journal | null => {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof Unopened)) throw error;
      if (fault?.code !== error.failure.code) log.event('store.failed', { code: error.failure.code });
      fault = error.failure;
      return null;
    }
  };
  let journal = attempt();
  if (journal !== null) return journal;
  const fonts = pageFonts();
  const style = readFileSync(new URL('./staff-page.css', import.meta.url));
  const server = await startLocalServer({
    port,
    headers: () => ({
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; style-src 'self'; font-src 'self'",
    }),
    answer: async ({ path }) => {
      if (path === '/staff-page.css')
        return { status: 200, headers: { 'Content-Type': 'text/css; charset=utf-8' }, body: style };
      const font = await fonts(path);
      if (font !== null) return font;
      const body = fault === null ? '' : view(fault, catalogue()).text;
      return { status: 503, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body };
    },
  });
  let told = '';
  while (journal === null) {
    const { code = '' } = (fault as Failure | null) ?? {};
    if (code !== told) waiting?.(code);
    told = code;
    await new Promise<void>((resolve) => clock.wakeAt(clock.now().monotonicMs + againMs, resolve));
    journal = attempt();
  }
  await server.close();
  return journal;
};
