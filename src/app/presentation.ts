import type { Catalogue } from '../core/catalogue.ts';
import { drawScreen } from '../core/draw-screen.ts';
import { lightOf } from '../core/light-of.ts';
import type { ScreenModel } from '../core/screen-model.ts';
import type { Session, SessionState } from '../core/session.ts';
import { visitOf } from '../core/session-steps.ts';
import { type SpokenWords, wordsToSay } from '../core/speech.ts';
import type { StateMessage } from '../protocol/messages.ts';
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
    const { clock, screen, statusLight, offerUnreviewedLanguages } = this.#parts;
    const now = clock.now();
    const drawing = drawScreen(session, {
      catalogue,
      now,
      offerUnreviewedLanguages,
      focused: this.#focused,
      keypad: this.#parts.keypad === null ? null : 'digits',
    });
    const drawn = JSON.stringify(drawing);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#revision += 1;
      const before = this.#model;
      this.#model = { ...drawing, revision: this.#revision };
      screen.show(this.#model);
      this.#speak(session.display.voice, before, this.#model);
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
    if (this.#model !== null) this.#say(this.#model.speech, this.#model.language);
  }

  /** The control that the keypad stands on is drawn at the next `show`, and said by its number and name. */
  focus(index: number | null): void {
    this.#focused = index;
    const spoken = index === null ? undefined : this.#model?.controls[index]?.spoken;
    if (spoken !== undefined && this.#model !== null) this.#say([spoken], this.#model.language);
  }

  #speak(voice: boolean, before: ScreenModel | null, model: ScreenModel): void {
    const turnedOn = voice && !this.#voice;
    if (!voice && this.#voice) this.#parts.speaker?.silence();
    this.#voice = voice;
    const words = voice ? wordsToSay(turnedOn ? null : before, model) : [];
    if (words.length > 0) this.#say(words, model.language);
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
      ...(code === undefined ? {} : { failureCode: code }),
      catalogueVersion: catalogue.version,
    } as const;
    const told = JSON.stringify(message);
    if (told === this.#told) return;
    this.#told = told;
    this.#parts.clinic.publishState({ ...message, since: wallMs });
  }
}
