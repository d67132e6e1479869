import { expect, it } from 'vitest';
import { makeCard } from '../../drivers/virtual/card-maker.ts';
import { personaById } from '../../drivers/virtual/personas.ts';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import { createVirtualSmartphoneReader } from '../../drivers/virtual/virtual-smartphone-reader.ts';
import { createVirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
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
    .replace(/"(ms|since|version|revision)":[\d.]+/g, '"$1"');

type Bed = Awaited<ReturnType<typeof openVisitBed>>;

const typeAndEnter = (bed: Bed, digits: string): void => {
  for (const key of pinBytes(digits)) bed.screen.key(key);
  bed.screen.key(0x0d);
};

const cardVisit = async (bed: Bed, card: VirtualCard, pins: readonly string[]): Promise<void> => {
  bed.reader.insert(card);
  await bed.see('pin', 'choose-method');
  // The lookup runs beside the PIN: its answer first, so that both runs take the same way.
  await until('the lookup', () => visitOf(bed.state)?.lookup.state === 'answered');
  if (bed.screen.now.screen === 'choose-method') bed.screen.touch('use-pin');
  for (const digits of pins) {
    typeAndEnter(bed, digits);
    await until('an answer of the card', () => bed.state.name !== 'enteringPin' || !bed.state.checking);
  }
};

/** The same with a phone, whose PIN is typed and kept before there is one. */
const phoneVisit = async (bed: Bed, phone: VirtualCard, pins: readonly string[]): Promise<void> => {
  const { settings } = bed.runner.session.surroundings;
  if (settings === null) throw new Error('no settings');
  bed.runner.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
  bed.screen.touch('use-smartphone');
  bed.screen.touch('android');
  for (const digits of pins) {
    typeAndEnter(bed, digits);
    await bed.see('present-phone');
    phones.hold(phone);
    await bed.see('phone-pin', 'consent-bundle', 'consent-item');
    if (bed.state.name === 'enteringPhonePin') phones.takeAway();
  }
};

let phones = createVirtualSmartphoneReader();

/** One visit by PIN, with a typing mistake; everything that leaves the session runner and could be seen or kept. */
const traceOf = async (pin: string, mistake: string, by: 'card' | 'phone') => {
  phones = createVirtualSmartphoneReader();
  const speaker = createVirtualSpeaker();
  const bed = await openVisitBed({ smartphoneReader: phones, speaker });
  const persona = personaById(by === 'card' ? 'hanako' : 'android-phone');
  const auth = persona.pins.auth;
  if (auth === null) throw new Error('the persona has a PIN');
  const own = { ...persona, pins: { ...persona.pins, auth: { ...auth, secret: pin } } };
  const wallMs = bed.clock.now().wallMs;
  const made = await makeCard({ persona: own, authority, keyFolder, photo: drawnPhoto, wallMs });
  // In which order the first settings and challenges were opened, and what was shown and said meanwhile, is not the visit's.
  await bed.agent.quiet();
  const [logged, passed, shown, before] = [bed.logLines, bed.broker.passed, bed.screen.shown, bed.states].map(
    ({ length }) => length,
  );
  await (by === 'card' ? cardVisit : phoneVisit)(bed, made.card, [mistake, pin]);
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.agent.quiet();
  const trace = {
    screens: bed.screen.shown.slice(shown).map((model) => settled(JSON.stringify(model))),
    log: bed.logLines.slice(logged).map(settled),
    messages: bed.broker.passed
      .slice(passed)
      .map(({ topic, payload }) => `${topic.split('/').at(-1)} ${payload.length}`)
      .sort(),
    states: bed.states.slice(before),
    heard: [...speaker.chimes],
  };
  await bed.close();
  return trace;
};

it.each(['card', 'phone'] as const)(
  'two visits by %s that differ in the PIN alone leave the same screens, sounds, log, states and message sizes',
  async (by) => {
    const one = await traceOf('1234', '1243', by);
    const other = await traceOf('9071', '9017', by);
    expect(one.log.length).toBeGreaterThan(10);
    expect(one.screens).toEqual(other.screens);
    expect(one.log).toEqual(other.log);
    expect(one.states).toEqual(other.states);
    expect(one.heard).toEqual(other.heard);
    expect(one.heard.filter((sound) => sound === 'key').length).toBeGreaterThanOrEqual(8);
    expect(one.messages.length).toBeGreaterThan(10);
    expect(one.messages).toEqual(other.messages);
  },
);
