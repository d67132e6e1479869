import WebSocket from 'ws';
import type { ScreenModel, ScreenName } from '../../src/core/screen/screen-model.ts';
import { isSameQuestion } from '../../src/core/screen/speech.ts';
import type { ControlId } from '../../src/core/visit/control-ids.ts';
import { delays } from '../../src/core/visit/delays.ts';

/** What the patient does when a screen appears; `wait` = look and do nothing. */
export type Reaction =
  | { readonly do: 'wait' }
  | { readonly do: 'touch'; readonly control: ControlId; readonly value?: string }
  | { readonly do: 'type-pin'; readonly digits: Uint8Array };

export type Reactions = (model: ScreenModel) => Reaction;

/** Longer than any stage of a visit may take. ms */
const usualPatienceMs = 30_000;
/** Between a new question and the finger: one that came sooner would not be taken. ms */
const lookMs = delays.otherButtonsMs + 100;
const enterKey = 0x0d;

/**
 * A patient who has eyes and one finger: the screen's WebSocket, nothing else. Cards are laid down and taken by whoever
 * holds the control panel.
 */
export class ScriptedPatient {
  readonly #socket: WebSocket;
  #model: ScreenModel | null = null;
  #previews = 0;
  #question = '';
  #askedAtMs = 0;
  #left = false;
  #onScreen: (model: ScreenModel) => void = () => {};
  /** Hears all that the page is told but live pictures, as it comes */
  onWords: (words: Buffer) => void = () => {};

  /** `sees`: hears of every screen, whatever the patient waits for */
  constructor(socket: WebSocket, sees: (model: ScreenModel) => void = () => {}) {
    this.#socket = socket;
    socket.on('message', (raw, binary) => {
      if (binary) {
        this.#previews += 1;
        return;
      }
      this.onWords(raw as Buffer);
      const message = JSON.parse(String(raw)) as { model?: ScreenModel; sound?: { id?: number } };
      // Sees, and does not listen: whatever is said has been heard at once.
      if (message.sound?.id !== undefined) socket.send(JSON.stringify({ heard: message.sound.id }));
      if (message.model === undefined) return;
      this.#model = message.model;
      socket.send(JSON.stringify({ painted: message.model.revision }));
      sees(message.model);
      this.#onScreen(message.model);
    });
  }

  static async before(screenPort: number, sees?: (model: ScreenModel) => void): Promise<ScriptedPatient> {
    const socket = new WebSocket(`ws://127.0.0.1:${screenPort}/screen`);
    const patient = new ScriptedPatient(socket, sees);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return patient;
  }

  /** Live pictures seen so far */
  get previews(): number {
    return this.#previews;
  }

  /** What stands on the screen now */
  get screen(): ScreenName | null {
    return this.#model?.screen ?? null;
  }

  /** Resolves with the first screen of these names, now or later. */
  see(...names: readonly ScreenName[]): Promise<ScreenModel> {
    return this.follow(() => ({ do: 'wait' }), names);
  }

  /** Reacts to every new screen until one of `until` is seen. A screen that only changes its words is looked at once. */
  follow(reactions: Reactions, until: readonly ScreenName[], patienceMs = usualPatienceMs): Promise<ScreenModel> {
    return new Promise((resolve, reject) => {
      let lastLookedAt = '';
      const giveUp = setTimeout(
        () =>
          reject(
            new Error(`waited for ${until.join(' or ')}, still at ${this.#model?.screen}: ${this.#model?.heading}`),
          ),
        patienceMs,
      );
      // The terminal died: nothing is to be waited for.
      const gone = (): void => {
        if (this.#left) return;
        clearTimeout(giveUp);
        reject(new Error(`the screen went away at ${this.#model?.screen}`));
      };
      this.#socket.once('close', gone);
      const look = (model: ScreenModel): void => {
        if (until.includes(model.screen)) {
          clearTimeout(giveUp);
          this.#socket.off('close', gone);
          this.#onScreen = () => {};
          resolve(model);
          return;
        }
        const { screen, session, heading, note, body, controls } = model;
        const looksLike = JSON.stringify([screen, session, heading, note, body, controls]);
        if (looksLike === lastLookedAt) return;
        lastLookedAt = looksLike;
        this.#afterALook(reactions(model), model);
      };
      this.#onScreen = look;
      if (this.#model !== null) look(this.#model);
    });
  }

  leave(): void {
    this.#left = true;
    this.#socket.close();
  }

  /** What a person does comes a look later, if it is still asked then; nothing comes before the first question's turn. */
  #afterALook(reaction: Reaction, model: ScreenModel): void {
    const { screen, session, heading } = model;
    if (this.#question !== `${screen} ${session} ${heading}`) {
      this.#question = `${screen} ${session} ${heading}`;
      this.#askedAtMs = performance.now();
    }
    if (reaction.do === 'wait') return;
    const waitMs = Math.max(0, this.#askedAtMs + lookMs - performance.now());
    setTimeout(() => {
      if (this.#model !== null && isSameQuestion(model, this.#model)) this.#react(reaction, this.#model);
    }, waitMs);
  }

  #react(reaction: Reaction, model: ScreenModel): void {
    switch (reaction.do) {
      case 'wait':
        return;
      case 'touch': {
        const { session, revision } = model;
        const { control, value } = reaction;
        return this.#socket.send(
          JSON.stringify({ touch: { session, revision, control, ...(value === undefined ? {} : { value }) } }),
        );
      }
      case 'type-pin':
        for (const key of [...reaction.digits, enterKey]) this.#socket.send(Uint8Array.of(key));
        return;
      default:
        return reaction satisfies never;
    }
  }
}
