/** On the clinic's machine: the staff page's own button for a reboot, and what the page says of it afterwards. */
import { writeFileSync } from 'node:fs';
import { pageText, press, reportOf, seeTestVisit } from './staff-desk.ts';
import { pause, until } from './steps.ts';

const told: Record<string, unknown> = {};
const note = (more: Record<string, unknown>): void =>
  writeFileSync('/trial/reboot.json', JSON.stringify(Object.assign(told, more)));
const orderNote = (page: string): string => /端末の再起動：[^<]*/.exec(page)?.[0] ?? '';

/** A test visit goes all the way, and is not the one of `before` (its report tells the minute): the network begins with the machine. */
const served = (before: string): Promise<void> =>
  until('a test visit that goes all the way', 240, async () => {
    await press('/test-visit');
    await pause(2_000);
    await seeTestVisit(30).catch(() => {});
    const report = reportOf(await pageText());
    return report !== before && (report.match(/<span class="pill ok">/g) ?? []).length === 3;
  });

note({ begun: true });
try {
  await served('');
  const before = reportOf(await pageText());
  const orderedMs = performance.now();
  await press('/reboot');
  note({ ordered: true });
  await until('the page that confirms it', 300, async () => {
    const page = await pageText();
    const said = orderNote(page);
    // Where the terminal is not ready again, why.
    note({ said, codes: [...new Set([...page.matchAll(/class="code">([a-z]+\.[a-z-]+)/g)].map(([, code]) => code))] });
    // "Cannot be confirmed" stands there from the second minute on until it is.
    return /に復帰しました|受け付けませんでした|返事がありません/.test(said);
  });
  note({ confirmed: /に復帰しました/.test(String(told.said)), ms: Math.round(performance.now() - orderedMs) });
  // Patients are served again, all the way to the agent.
  await served(before);
  note({ servedAgain: true });
} catch (error) {
  note({ error: (error as Error).message.slice(0, 500) });
}
