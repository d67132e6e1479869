import './node/globals.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import { frameAround } from './around.ts';
import { type Choices, choicesOf, hashOf } from './choices.ts';
import { Clinic } from './clinic.ts';
import { baked } from './node/baked.ts';
import { type Both, faces, faults, patients, sizes, words } from './page-words.ts';
import { made, messageLine, newestFile } from './seen-on-the-way.ts';

/** Of the page that staff have open. CSS pixels */
const deskWidth = 960;

const element = <T extends HTMLElement>(id: string): T => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id}`);
  return found as T;
};

/** The visitor's hands: choices, the card, and what is seen of the way from screen to file. */
class Playground {
  readonly #clinic: Clinic;
  #choices: Choices;
  #broken: Choices['fault'] = 'none';
  #states: string[] = [];
  #fileShown = '';
  #onShown: (model: ScreenModel) => void = () => {};
  #onState: (state: string) => void = () => {};

  constructor(clinic: Clinic) {
    this.#clinic = clinic;
    this.#choices = choicesOf(location.hash, baked.settings.languages);
    const screen = element<HTMLIFrameElement>('screen');
    const frames = frameAround(clinic, { screen, staff: element<HTMLIFrameElement>('staff') });
    clinic.onLog = ({ event, fields }) => {
      if (event === 'session.transition') this.#note(String(fields.to));
    };
    clinic.onPassed = () => this.#showNewest();
    clinic.glass.onShown = (model) => {
      this.#speakTheirLanguage();
      this.#onShown(model);
    };
    element('lay').addEventListener('click', () => this.#clinic.lay(this.#choices.patient));
    element('pull').addEventListener('click', () => this.#clinic.pull());
    element('again').addEventListener('click', () => location.reload());
    addEventListener('hashchange', () => this.#choose(choicesOf(location.hash, baked.settings.languages)));
    addEventListener('resize', () => this.#fit());
    this.#fillChoices();
    this.#choose(this.#choices);
    clinic.run();
    // The agent needs a moment for its staff page.
    setTimeout(() => frames.show(), 300);
    setInterval(() => this.#showFile(), 500);
  }

  watch(shown: (model: ScreenModel) => void, entered: (state: string) => void): void {
    this.#onShown = shown;
    this.#onState = entered;
    const { now } = this.#clinic.glass;
    if (now !== null) shown(now);
  }

  readonly #inOurs = (both: Both): string => (this.#choices.language.startsWith('ja') ? both.ja : both.en);

  #fillChoices(): void {
    const fill = (id: keyof Choices, names: readonly string[]): void => {
      const select = element<HTMLSelectElement>(id);
      select.append(...names.map((name) => Object.assign(document.createElement('option'), { value: name })));
      select.addEventListener('change', () => {
        location.hash = hashOf({ ...this.#choices, [id]: select.value });
      });
    };
    fill('patient', Object.keys(patients));
    fill('face', Object.keys(faces));
    fill('fault', Object.keys(faults));
    fill('language', baked.settings.languages);
    fill('size', Object.keys(sizes));
  }

  #choose(choices: Choices): void {
    const isOther = choices.patient !== this.#choices.patient;
    this.#choices = choices;
    if (isOther) this.#clinic.pull();
    this.#clinic.booth.standing = { own: choices.patient, other: 'somebody-else', nobody: null }[choices.face];
    if (choices.fault !== this.#broken) {
      if (this.#broken !== 'none') this.#clinic.mend(this.#broken);
      if (choices.fault !== 'none') this.#clinic.break(choices.fault);
      this.#broken = choices.fault;
    }
    this.#label();
    this.#fit();
    this.#speakTheirLanguage();
  }

  #label(): void {
    document.documentElement.lang = this.#choices.language.startsWith('ja') ? 'ja' : 'en';
    document.title = this.#inOurs(words.title);
    for (const one of document.querySelectorAll<HTMLElement>('[data-word]'))
      one.textContent = this.#inOurs(words[one.dataset.word as keyof typeof words]);
    const named: Readonly<Record<string, Readonly<Record<string, Both>>>> = {
      patient: patients,
      face: faces,
      fault: faults,
      size: sizes,
    };
    for (const [id, texts] of Object.entries(named))
      for (const option of element<HTMLSelectElement>(id).options)
        option.textContent = this.#inOurs(texts[option.value] as Both);
    const { languages } = this.#clinic.ground.catalogues.at(baked.startMs);
    for (const option of element<HTMLSelectElement>('language').options)
      option.textContent = languages[option.value]?.name ?? option.value;
    for (const [id, value] of Object.entries(this.#choices)) element<HTMLSelectElement>(id).value = value;
    const card = baked.cards.find(({ persona }) => persona.id === this.#choices.patient);
    const pin = card?.persona.type === 'my-number-card' ? card.persona.pins.auth : null;
    element('pin').textContent = pin == null ? this.#inOurs(words.noPin) : `${this.#inOurs(words.pin)} ${pin.secret}`;
  }

  /** The panel in its own pixels, drawn as large as there is room; the staff page as on a desk. */
  #fit(): void {
    const { width, height } = sizes[this.#choices.size];
    const room = element('screen-room').clientWidth;
    const scale = Math.min(1, room / width, (innerHeight * 0.72) / height);
    this.#draw('screen', width, height, scale);
    const desk = Math.min(1, element('staff-room').clientWidth / deskWidth);
    this.#draw('staff', deskWidth, Math.max(height * scale, 480) / desk, desk);
  }

  #draw(id: 'screen' | 'staff', width: number, height: number, scale: number): void {
    Object.assign(element(id).style, { width: `${width}px`, height: `${height}px`, transform: `scale(${scale})` });
    element(`${id}-room`).style.height = `${height * scale}px`;
  }

  /** As a finger would on the language key of the screen, whenever it stands on another language. */
  #speakTheirLanguage(): void {
    const { glass } = this.#clinic;
    const { now } = glass;
    const { language } = this.#choices;
    if (now === null || now.language === language || now.session !== null) return;
    if (!now.languages.some(({ code }) => code === language)) return;
    const { session, revision } = now;
    glass.receive(JSON.stringify({ touch: { session, revision, control: 'language', value: language } }));
  }

  #note(state: string): void {
    this.#onState(state);
    this.#states.push(state);
    if (state === 'readingCard') this.#states = [state];
    element('states').replaceChildren(...this.#states.map((name) => made('li', name)));
  }

  #showNewest(): void {
    const message = this.#clinic.passed.at(-1);
    const line = message === undefined ? null : messageLine(this.#clinic, message, this.#inOurs);
    const list = element('messages');
    if (line === null) return;
    list.prepend(line);
    while (list.childElementCount > 60) list.lastElementChild?.remove();
  }

  #showFile(): void {
    const file = newestFile(this.#clinic);
    if (file === null || file.name === this.#fileShown) return;
    this.#fileShown = file.name;
    element('file-name').textContent = file.name;
    element('file').textContent = file.text;
  }
}

const refuse = (error: unknown): void => {
  element('trouble').textContent = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
};
addEventListener('unhandledrejection', ({ reason }) => refuse(reason));
Clinic.open().then((clinic) => {
  const playground = new Playground(clinic);
  // For whoever compares this page with a terminal (scripts/playground/check.ts), and for the curious at their console.
  const uketsukeWatch: Playground['watch'] = (...watchers) => playground.watch(...watchers);
  Object.assign(globalThis, { uketsukeClinic: clinic, uketsukeWatch });
}, refuse);
