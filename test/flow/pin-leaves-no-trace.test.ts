import { expect, it } from 'vitest';
import { makeCard } from '../../drivers/virtual/card-maker.ts';
import { personaById } from '../../drivers/virtual/personas.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { authority, drawnPhoto, pinBytes } from '../../scripts/beds/test-cards.ts';
import { openVisitBed } from '../../scripts/beds/visit-bed.ts';
import { visitOf } from '../../src/core/visit/session-steps.ts';

const keyFolder = new URL('../../.cache/virtual-card-keys', import.meta.url).pathname;

/** What is made anew in every run, or measured: replaced by its kind, so that two runs can be laid side by side. */
const settled = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/"time":"[^"]*"/g, '"time"')
    .replace(/"(ms|since|version)":[\d.]+/g, '"$1"');

/** One visit by PIN, with a typing mistake; everything that leaves the session runner and could be seen or kept. */
const traceOf = async (pin: string, mistake: string) => {
  const bed = await openVisitBed();
  const persona = personaById('hanako');
  const auth = persona.pins.auth;
  if (auth === null) throw new Error('the persona has a PIN');
  const own = { ...persona, pins: { ...persona.pins, auth: { ...auth, secret: pin } } };
  const wallMs = bed.clock.now().wallMs;
  const made = await makeCard({ persona: own, authority, keyFolder, photo: drawnPhoto, wallMs });
  bed.reader.insert(made.card);
  await bed.see('pin', 'choose-method');
  // The lookup runs beside the PIN: its answer first, so that both runs take the same way.
  await until('the lookup', () => visitOf(bed.state)?.lookup.state === 'answered');
  if (bed.screen.now.screen === 'choose-method') bed.screen.touch('use-pin');
  for (const digits of [mistake, pin]) {
    for (const key of pinBytes(digits)) bed.screen.key(key);
    bed.screen.key(0x0d);
    await until('an answer of the card', () => bed.state.name !== 'enteringPin' || !bed.state.checking);
  }
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.agent.quiet();
  const trace = {
    screens: bed.screen.shown.map((model) => settled(JSON.stringify(model))),
    log: bed.logLines.map(settled),
    messages: bed.broker.passed.map(({ topic, payload }) => `${topic.split('/').at(-1)} ${payload.length}`).sort(),
    states: bed.states,
  };
  await bed.close();
  return trace;
};

it('two visits that differ in the PIN alone leave the same screens, log, states and message sizes', async () => {
  const one = await traceOf('1234', '1243');
  const other = await traceOf('9071', '9017');
  expect(one.log.length).toBeGreaterThan(10);
  expect(one.screens).toEqual(other.screens);
  expect(one.log).toEqual(other.log);
  expect(one.states).toEqual(other.states);
  expect(one.messages).toEqual(other.messages);
});
