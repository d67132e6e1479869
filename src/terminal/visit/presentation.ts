import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { drawScreen } from '../../core/screen/draw-screen.ts';
import type { ScreenModel } from '../../core/screen/screen-model.ts';
import { isSameQuestion, type SpokenWords, wordsToSay } from '../../core/screen/speech.ts';
import { lightOf } from '../../core/visit/light-of.ts';
import type { Session, SessionState } from '../../core/visit/session.ts';
import { visitOf } from '../../core/visit/session-steps.ts';
import type { StateMessage } from '../../wire/messages.ts';
import type { SessionParts } from './session-parts.ts';

const statusOf = (state: SessionState): StateMessage['status'] =>
  state.name === 'outOfService' ? 'out-of-service' : state.name === 'idle' ? 'idle' : 'busy';

/** Shows one session on screen, light, voice and the clinic's staff page; each is told only what has changed. */
export class Presentation {
  readonly #parts: SessionParts;
  #revision = 0;
  #drawn = '';
  #voice = false;
  #focused: number | null = null;
  #loudness = 0;
  /** With an earphone in, the voice speaks whatever the button says, and says what is promised below, too. */
  #earphone = false;
  #light = '';
  #told = '';
  #model: ScreenModel | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** The screen as it stands, for the doctor and for a repeated announcement. */
  get model(): ScreenModel | null {
    return this.#model;
  }

  show(session: Session, catalogue: Catalogue): void {
    const { clock, screen, statusLight, offerUnreviewedLanguages, undrawable } = this.#parts;
    const now = clock.now();
    const draw = () =>
      drawScreen(session, {
        catalogue,
        now,
        offerUnreviewedLanguages,
        ...(undrawable === undefined ? {} : { undrawable }),
        focused: this.#focused,
        keypad: this.#parts.keypad?.keys ?? null,
      });
    let drawing = draw();
    if (this.#focused !== null && this.#model !== null && !isSameQuestion(this.#model, drawing)) {
      this.#focused = null;
      drawing = draw();
    }
    const drawn = JSON.stringify(drawing);
    const { loudness } = session.display;
    if (loudness !== this.#loudness) this.#parts.speaker?.setLoudness(loudness);
    this.#loudness = loudness;
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#revision += 1;
      const before = this.#model;
      this.#model = { ...drawing, revision: this.#revision };
      screen.show(this.#model);
      this.#speak(session.display.voice || this.#earphone, before, this.#model);
    }
    const light = lightOf(session.state);
    if (light !== this.#light) {
      this.#light = light;
      statusLight?.show(light);
    }
    this.#tellClinic(session, catalogue, now.wallMs);
  }

  /** Says the screen once more. */
  repeat(): void {
    if (this.#model !== null) this.#say(this.#whole(this.#model), this.#model.language);
  }

  /** Who changes the volume hears at once how loud it is now: by what was too soft, or by a chime while the voice is off. */
  volumeChanged(): void {
    if (this.#voice) this.repeat();
    else this.#parts.speaker?.chime('key');
  }

  /** What the keypad stands on is drawn at the next `show`, and said: a choice by number, a tool or language by name. */
  focus(index: number | null): void {
    this.#focused = index;
    const model = this.#model;
    if (index === null || model === null) return;
    const language = model.languages[index - model.controls.length - model.tools.length];
    const spoken = [...model.controls, ...model.tools][index]?.spoken;
    if (language !== undefined) this.#say([{ text: language.name }], language.code);
    else if (spoken !== undefined) this.#say([spoken], model.language);
  }

  /** An earphone was put in: who did that wants to hear. Taken out, the voice is as the button says. */
  earphone(inserted: boolean): void {
    this.#earphone = inserted;
    if (inserted) this.repeat();
  }

  #speak(voice: boolean, before: ScreenModel | null, model: ScreenModel): void {
    const turnedOn = voice && !this.#voice;
    if (!voice && this.#voice) this.#parts.speaker?.silence();
    this.#voice = voice;
    const isNew = turnedOn || before === null || !isSameQuestion(before, model);
    const words = !voice ? [] : isNew ? this.#whole(model) : wordsToSay(before, model);
    if (words.length > 0) this.#say(words, model.language);
  }

  #whole({ speech, footer }: ScreenModel): SpokenWords {
    if (!this.#earphone) return speech;
    const said = new Set(speech.map(({ text }) => text));
    return [...speech, ...footer.filter((text) => !said.has(text)).map((text) => ({ text }))];
  }

  #say(words: SpokenWords, language: string): void {
    this.#parts.speaker?.say(words.map((each) => ({ ...each, language })));
  }

  #tellClinic(session: Session, catalogue: Catalogue, wallMs: number): void {
    const { state } = session;
    const { device, lane, version, profile } = this.#parts.terminal;
    const visit = visitOf(state);
    const code = 'failure' in state ? state.failure?.code : undefined;
    const message = {
      device,
      lane,
      version,
      profile,
      status: statusOf(state),
      phase: state.name,
      ...(visit === null ? {} : { session: visit.session }),
      ...(code === undefined ? {} : { code }),
      catalogueVersion: catalogue.version,
    } as const;
    const told = JSON.stringify(message);
    if (told === this.#told) return;
    this.#told = told;
    this.#parts.clinic.publishState({ ...message, since: wallMs });
  }
}
