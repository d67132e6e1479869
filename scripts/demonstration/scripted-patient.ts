import WebSocket from 'ws';
import type { ScreenModel, ScreenName } from '../../src/core/screen/screen-model.ts';
import type { ControlId } from '../../src/core/visit/control-ids.ts';

/** What the patient does when a screen appears; `wait` = look and do nothing. */
export type Reaction =
  | { readonly do: 'wait' }
  | { readonly do: 'touch'; readonly control: ControlId; readonly value?: string }
  | { readonly do: 'type-pin'; readonly digits: Uint8Array };

export type Reactions = (model: ScreenModel) => Reaction;

/** Longer than any stage of a visit may take. ms */
const patienceMs = 30_000;
const enterKey = 0x0d;

/**
 * A patient who has eyes and one finger: the screen's WebSocket, nothing else. Cards are laid down and taken by whoever
 * holds the control panel.
 */
export class ScriptedPatient {
  readonly #socket: WebSocket;
  #model: ScreenModel | null = null;
  #previews = 0;
  #onScreen: (model: ScreenModel) => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (raw, binary) => {
      if (binary) {
        this.#previews += 1;
        return;
      }
      const message = JSON.parse(String(raw)) as { model?: ScreenModel };
      if (message.model === undefined) return;
      this.#model = message.model;
      socket.send(JSON.stringify({ painted: message.model.revision }));
      this.#onScreen(message.model);
    });
  }

  static async before(screenPort: number): Promise<ScriptedPatient> {
    const socket = new WebSocket(`ws://127.0.0.1:${screenPort}/screen`);
    const patient = new ScriptedPatient(socket);
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

  /** Resolves with the first screen of these names, now or later. */
  see(...names: readonly ScreenName[]): Promise<ScreenModel> {
    return this.follow(() => ({ do: 'wait' }), names);
  }

  /** Reacts to every new screen until one of `until` is seen. A screen that only changes its words is looked at once. */
  follow(reactions: Reactions, until: readonly ScreenName[]): Promise<ScreenModel> {
    return new Promise((resolve, reject) => {
      let lastLookedAt = '';
      const giveUp = setTimeout(
        () =>
          reject(
            new Error(`waited for ${until.join(' or ')}, still at ${this.#model?.screen}: ${this.#model?.heading}`),
          ),
        patienceMs,
      );
      const look = (model: ScreenModel): void => {
        if (until.includes(model.screen)) {
          clearTimeout(giveUp);
          this.#onScreen = () => {};
          resolve(model);
          return;
        }
        const { screen, session, heading, note, body, controls } = model;
        const looksLike = JSON.stringify([screen, session, heading, note, body, controls]);
        if (looksLike === lastLookedAt) return;
        lastLookedAt = looksLike;
        this.#react(reactions(model), model);
      };
      this.#onScreen = look;
      if (this.#model !== null) look(this.#model);
    });
  }

  leave(): void {
    this.#socket.close();
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
