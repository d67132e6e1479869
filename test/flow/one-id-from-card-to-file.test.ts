import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { createEventLog } from '../../src/log/event-log.ts';

let bed: VisitBed;
let agentLines: string[];
beforeEach(async () => {
  bed = await openVisitBed();
  agentLines = [];
  const log = createEventLog({ format: 'json', write: (line) => agentLines.push(line) });
  Object.assign(bed.agent.context.log, { event: log.event });
});
afterEach(() => bed.close());

const visit = async (persona: string, pin: string): Promise<void> => {
  const files = bed.agent.files().length;
  await bed.insert(persona);
  await bed.enterPin(pin);
  await bed.answerAll('agree');
  await bed.see('accepted');
  await until('its file', () => bed.agent.files().length > files);
  await bed.takeCard();
  await until('the row gone', () => bed.store.rows.size === 0);
  await until('the last line', () => agentLines.filter((line) => line.includes('agent.result-sent')).length > files);
};
/** What `grep` finds of an id at both ends, by the names of the events, in order */
const grep = (id: string): string[] =>
  [...bed.logLines, ...agentLines]
    .filter((line) => line.includes(id))
    .map((line) => (JSON.parse(line) as { event: string }).event);

it('one grep shows a visit from card to file, at both ends, and no other visit', async () => {
  await visit('hanako', '1234');
  await visit('taro', '2468');
  const [first, second] = bed.visits();
  if (first === undefined || second === undefined) throw new Error('two visits');
  const [ours, theirs] = [grep(first.requestId), grep(second.requestId)];
  const way = [
    ...['outbox.stored', 'outbox.published', 'outbox.receipted'],
    ...['agent.request-journaled', 'agent.service-asked', 'agent.file-written', 'agent.result-sent'],
  ];
  expect(ours).toEqual(expect.arrayContaining(way));
  expect(theirs).toEqual(expect.arrayContaining(way));
  // The line that joins both ends names the session, too: from it everything at the terminal is found.
  const joint = agentLines.find((line) => line.includes(first.requestId) && line.includes(first.session));
  expect(joint).toContain('agent.request-journaled');
  expect(grep(first.session)).toEqual(expect.arrayContaining(['session.transition', 'session.ended']));
  const both = [...bed.logLines, ...agentLines].filter((line) => line.includes(first.requestId));
  expect(both.some((line) => line.includes(second.requestId) || line.includes(second.session))).toBe(false);
});
