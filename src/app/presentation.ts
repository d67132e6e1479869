import type { Catalogue } from '../core/catalogue.ts';
import { drawScreen } from '../core/draw-screen.ts';
import { lightOf } from '../core/light-of.ts';
import type { ScreenModel } from '../core/screen-model.ts';
import type { Session, SessionState } from '../core/session.ts';
import { visitOf } from '../core/session-steps.ts';
import type { StateMessage } from '../protocol/messages.ts';
import type { SessionParts } from './session-parts.ts';

const statusOf = (state: SessionState): StateMessage['status'] =>
  state.name === 'outOfService' ? 'out-of-service' : state.name === 'idle' ? 'idle' : 'busy';

/** Shows one session on screen, light, voice and the clinic's staff page; each is told only what has changed. */
export class Presentation {
  readonly #parts: SessionParts;
  #revision = 0;
  #drawn = '';
  #spoken = '';
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
    const drawing = drawScreen(session, { catalogue, now, offerUnreviewedLanguages });
    const drawn = JSON.stringify(drawing);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#revision += 1;
      this.#model = { ...drawing, revision: this.#revision };
      screen.show(this.#model);
      this.#speak(session.display.voice, this.#model);
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
    if (this.#model !== null) this.#say(this.#model);
  }

  #speak(voice: boolean, model: ScreenModel): void {
    const spoken = voice ? JSON.stringify([model.language, model.speech]) : '';
    if (spoken === this.#spoken) return;
    this.#spoken = spoken;
    if (voice) this.#say(model);
    else this.#parts.speaker?.silence();
  }

  #say(model: ScreenModel): void {
    this.#parts.speaker?.say(model.speech.map((each) => ({ ...each, language: model.language })));
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
