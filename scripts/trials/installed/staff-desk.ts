import { until } from './steps.ts';

/* What the staff see: the page of the agent, as a browser on the clinic's PC reads it. */

const page = 'http://127.0.0.1:8490';
export const pageText = async (): Promise<string> => (await fetch(`${page}/`).catch(() => null))?.text() ?? '';

export const reportOf = (text: string): string => /<section class="test-visit">.*?<\/section>/s.exec(text)?.[0] ?? '';

/** The report of a test visit that went all the way; throws with what the page says. */
export const seeTestVisit = async (seconds: number): Promise<void> => {
  let report = '';
  await until('a test visit on the staff page', seconds, async () => {
    report = reportOf(await pageText());
    return report !== '';
  });
  const marks = [...report.matchAll(/<span class="pill (ok|bad)">/g)].map(([, is]) => is);
  if (marks.length !== 3 || marks.some((is) => is !== 'ok'))
    throw new Error(`the test visit: ${report.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')}`);
};

/** A button of the page, once it is there. */
export const press = async (action: string): Promise<void> => {
  const button = new RegExp(`<form method="post" action="${action}">(.*?)</form>`, 's');
  let form: string | undefined;
  await until(`the button of ${action}`, 60, async () => {
    form = button.exec(await pageText())?.[1];
    return form !== undefined;
  });
  const fields = new URLSearchParams();
  for (const [input] of (form ?? '').matchAll(/<input[^>]*>/g))
    fields.set(/name="([^"]*)"/.exec(input)?.[1] ?? '', /value="([^"]*)"/.exec(input)?.[1] ?? '');
  await (await fetch(`${page}${action}`, { method: 'POST', body: fields, headers: { origin: page } })).text();
};

/** テスト受付 as its button does it. */
export const orderTestVisit = async (): Promise<void> => {
  await press('/test-visit');
  await seeTestVisit(30);
};
