import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { Failure, FailureCode } from '../../core/failure.ts';
import { sameContent } from '../../core/same-content.ts';
import { drawScreen } from '../../core/screen/draw-screen.ts';
import type { ScreenModel } from '../../core/screen/screen-model.ts';
import { forEar, isSameQuestion, type SpokenWords, sentencesToSay, speaksToNobody } from '../../core/screen/speech.ts';
import { type LightPattern, lightOf } from '../../core/visit/light-of.ts';
import type { Display, Session, SessionState } from '../../core/visit/session.ts';
import { visitOf } from '../../core/visit/session-steps.ts';
import { isFacePrompt } from '../../core/visit/verification.ts';
import type { StateMessage } from '../../wire/messages.ts';
import { markedAsTest } from '../../wire/profile.ts';
import type { SessionParts } from './session-parts.ts';

const asksToMove = ({ body }: ScreenModel): boolean => body.kind === 'face' && isFacePrompt(body.hint);

const statusOf = (state: SessionState): StateMessage['status'] =>
  state.name === 'outOfService' ? 'out-of-service' : state.name === 'idle' ? 'idle' : 'busy';

/** Shows one session on screen, light, voice and the clinic's staff page; each is told only what has changed. */
export class Presentation {
  readonly #parts: SessionParts;
  /** Told when the voice begins with something that is to be heard before anybody answers, and when that is over */
  readonly #speaking: (speaking: boolean) => void;
  /** The last such thing, by its number */
  #awaited = 0;
  #revision = 0;
  #drawn: Omit<ScreenModel, 'revision'> | null = null;
  #voice: Display['voice'] = 'off';
  #focused: number | null = null;
  #loudness = 0;
  /** With an earphone in, the voice speaks whatever the button says, and says what is promised below, too. */
  #earphone = false;
  /** Somebody stands before the terminal, as far as its sensor knows */
  #near = false;
  /** What was said in this visit */
  #heard = new Set<string>();
  #volume: number | undefined;
  /** The last visit that its patient left before anything was received */
  #abandoned: StateMessage['abandoned'] | null = null;
  /** No browser shows the page */
  #pageTrouble: Failure | null = null;
  #light: LightPattern | '' = '';
  /** A pattern that is only being looked at */
  #lookedAt: LightPattern | null = null;
  #told: object | null = null;
  #model: ScreenModel | null = null;

  constructor(parts: SessionParts, speaking: (speaking: boolean) => void = () => {}) {
    this.#parts = parts;
    this.#speaking = speaking;
  }

  /** The screen as it stands, for the doctor and for a repeated announcement. */
  get model(): ScreenModel | null {
    return this.#model;
  }

  /** `acted`: it follows what the visitor did, who has heard enough of what was being said. */
  show(session: Session, catalogue: Catalogue, acted = false): void {
    const { clock, screen, speaker, statusLight, undrawable } = this.#parts;
    const now = clock.now();
    const takesTestCards = this.#parts.terminal.profile === 'test';
    const draw = () => {
      const drawn = drawScreen(session, {
        catalogue,
        now,
        lane: this.#parts.terminal.lane,
        ...(undrawable === undefined ? {} : { undrawable }),
        focused: this.#focused,
        keypad: this.#parts.keypad?.keys ?? null,
        diagonalInches: this.#parts.diagonalInches ?? null,
        speaks: (language) => speaker?.speaks(language) ?? false,
      });
      // Whatever the settings call the facility.
      return takesTestCards ? { ...drawn, facilityName: markedAsTest(drawn.facilityName) } : drawn;
    };
    let drawing = draw();
    if (this.#focused !== null && this.#model !== null && !isSameQuestion(this.#model, drawing)) {
      this.#focused = null;
      drawing = draw();
    }
    const { loudness } = session.display;
    if (loudness !== this.#loudness) speaker?.setLoudness(loudness);
    this.#loudness = loudness;
    const volume = session.surroundings.settings?.volume;
    if (volume !== undefined && volume !== this.#volume) speaker?.setVolume(volume);
    this.#volume = volume;
    if (!sameContent(drawing, this.#drawn)) {
      this.#drawn = drawing;
      this.#revision += 1;
      const before = this.#model;
      this.#model = { ...drawing, revision: this.#revision };
      screen.show(this.#model);
      this.#speak(session, before, this.#model, acted);
    }
    const light =
      this.#pageTrouble !== null ? 'fault' : session.help?.answered === false ? 'call-staff' : lightOf(session.state);
    if (light !== this.#light) {
      this.#light = light;
      if (this.#lookedAt === null) statusLight?.show(light);
    }
    this.#tellClinic(session, catalogue, now.wallMs);
  }

  /** A pattern to look at; null: again the one that holds. */
  shine(pattern: LightPattern | null): void {
    this.#lookedAt = pattern;
    const shown = pattern ?? this.#light;
    if (shown !== '') this.#parts.statusLight?.show(shown);
  }

  get hasEarphone(): boolean {
    return this.#earphone;
  }

  /** A patient has gone before anything was received: staff are told with the next state. */
  abandoned(session: string, reason: FailureCode): void {
    this.#abandoned = { session, at: Math.round(this.#parts.clock.now().wallMs), reason };
  }

  /** Whether a browser shows the page: staff are told with the next state. */
  page(trouble: Failure | null): void {
    this.#pageTrouble = trouble;
  }

  /** Says the screen once more. */
  repeat(): void {
    if (this.#model !== null) this.#say(this.#whole(this.#model), this.#model.language, 'now');
  }

  /** Who changes the volume hears at once how loud it is now: by what was too soft, or by a chime while the voice is off. */
  volumeChanged(): void {
    if (this.#voice === 'all' || this.#earphone) this.repeat();
    else this.#parts.speaker?.chime('key');
  }

  /** What the keypad stands on is drawn at the next `show`, and said: a choice by number, a tool or language by name. */
  focus(index: number | null): void {
    this.#focused = index;
    const model = this.#model;
    if (index === null || model === null) return;
    const language = model.languages[index - model.controls.length - model.tools.length];
    const spoken = [...model.controls, ...model.tools][index]?.spoken;
    if (language !== undefined) this.#say([{ text: language.name }], language.code, 'now');
    else if (spoken !== undefined) this.#say([spoken], model.language, 'now');
  }

  /** An earphone was put in: who did that wants to hear. Taken out, the voice is as the button says. */
  earphone(inserted: boolean): void {
    this.#earphone = inserted;
    if (inserted) this.repeat();
  }

  /** Somebody comes or goes, as the presence sensor says: who comes is told where the terminal is and what to do. */
  near(near: boolean, session: Session): void {
    const comes = near && !this.#near;
    this.#near = near;
    const model = this.#model;
    if (!comes || model === null || !speaksToNobody(model) || this.#ear(session, model) !== 'headings') return;
    this.#parts.speaker?.chime('contact');
    this.#say(forEar(model.speech, 'headings', new Set()), model.language, 'after-sentence');
  }

  /** Who hears: the room, or somebody who asked; null: nobody. */
  #ear({ display, surroundings }: Session, model: ScreenModel): 'headings' | 'all' | null {
    if (this.#earphone || display.voice === 'all') return 'all';
    if (display.voice === 'off') return null;
    if (!speaksToNobody(model)) return 'headings';
    return this.#near && surroundings.settings?.idleVoice !== 'off' ? 'headings' : null;
  }

  #speak(session: Session, before: ScreenModel | null, model: ScreenModel, acted: boolean): void {
    const { voice } = session.display;
    const turnedOn = voice === 'all' && this.#voice !== 'all';
    if (voice === 'off' && this.#voice !== 'off') this.#parts.speaker?.silence();
    this.#voice = voice;
    const isNew = turnedOn || before === null || !isSameQuestion(before, model);
    if (before?.session !== model.session) this.#heard = new Set();
    const ear = this.#ear(session, model);
    if (ear === null) return;
    const sentences = isNew ? model.speech : sentencesToSay(before, model);
    const words = forEar(sentences, ear, this.#heard);
    // A hint during the face check asks nothing that has to be heard first: it follows what the patient does.
    const isAwaited = isNew || model.screen !== 'face';
    // Before a prompt "stay like that" is said, in three and a half seconds, and after one that was answered the prompt itself.
    const cuts = acted || asksToMove(model) || (before !== null && asksToMove(before));
    if (words.length > 0) this.#say(words, model.language, cuts ? 'now' : 'after-sentence', isAwaited);
  }

  /** Everything, for who asks for it once more. */
  #whole({ speech, footer }: ScreenModel): SpokenWords {
    const words = forEar(speech, 'all', new Set());
    if (!this.#earphone) return words;
    const said = new Set(words.map(({ text }) => text));
    return [...words, ...footer.filter((text) => !said.has(text)).map((text) => ({ text }))];
  }

  #say(words: SpokenWords, language: string, when: 'now' | 'after-sentence', isAwaited = true): void {
    const { speaker } = this.#parts;
    if (speaker === null) return;
    for (const { text } of words) this.#heard.add(text);
    const said = words.map((each) => ({ ...each, language }));
    if (!isAwaited) return speaker.say(said, { when });
    this.#awaited += 1;
    const mine = this.#awaited;
    this.#speaking(true);
    speaker.say(said, {
      when,
      ended: () => {
        if (mine === this.#awaited) this.#speaking(false);
      },
    });
  }

  #tellClinic(session: Session, catalogue: Catalogue, wallMs: number): void {
    const { state } = session;
    const { device, lane, version, profile } = this.#parts.terminal;
    const visit = visitOf(state);
    const unanswered = state.name === 'showingResult' && state.result.outcome === 'failed' ? state.result.code : null;
    const code =
      ('failure' in state ? state.failure?.code : undefined) ?? unanswered ?? this.#pageTrouble?.code ?? undefined;
    const message = {
      device,
      lane,
      version,
      profile,
      status: statusOf(state),
      phase: state.name,
      ...(visit === null ? {} : { session: visit.session }),
      ...(code === undefined ? {} : { code }),
      ...(session.help?.answered === false ? { helpCalledAt: Math.round(session.help.calledAtMs) } : {}),
      ...(visit === null ? {} : { language: session.display.language }),
      ...(this.#abandoned === null ? {} : { abandoned: this.#abandoned }),
      catalogueVersion: catalogue.version,
    } as const;
    if (sameContent(message, this.#told)) return;
    this.#told = message;
    this.#parts.clinic.publishState({ ...message, since: wallMs });
  }
}
