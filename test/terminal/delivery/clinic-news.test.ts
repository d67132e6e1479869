import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { type ClinicEvent, ClinicNews } from '../../../src/terminal/delivery/clinic-news.ts';

test('who listens only after a visit of before the restart was answered hears of the visit and of its answers', () => {
  const news = new ClinicNews(new SimulatedClock(), createEventLog({ format: 'silent' }));
  news.foundEarlier({ type: 'earlier-visit', requestId: 'own', session: 's', mark: 'm' });
  const receipt = (requestId: string) => ({ type: 'receipt', session: 's', receipt: { requestId } }) as ClinicEvent;
  const result = (requestId: string) => ({ type: 'result', result: { requestId } }) as ClinicEvent;
  for (const event of [receipt('own'), receipt('other'), result('own'), result('other')]) news.tell(event);
  const heard: ClinicEvent[] = [];
  news.subscribe((event) => heard.push(event));
  expect(heard.filter(({ type }) => ['earlier-visit', 'receipt', 'result'].includes(type))).toEqual([
    { type: 'earlier-visit', requestId: 'own', session: 's', mark: 'm' },
    receipt('own'),
    result('own'),
  ]);
});
