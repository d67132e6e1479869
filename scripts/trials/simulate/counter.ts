import type { MadeCard } from '../../../drivers/virtual/card-maker.ts';
import type { VirtualCard } from '../../../drivers/virtual/virtual-card.ts';
import { type Failure, failure } from '../../../src/core/failure.ts';
import { err, ok, type Result } from '../../../src/core/result.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import type { ControlId } from '../../../src/core/visit/control-ids.ts';
import type { CardFrontReader } from '../../../src/ports/card-front-reader.ts';
import type { CardReader, CardReaderEvent, CardSession } from '../../../src/ports/card-reader.ts';
import type { FaceAttemptEvent, FaceVerifier } from '../../../src/ports/face-verifier.ts';
import type { Screen, ScreenEvent } from '../../../src/ports/screen.ts';
import { fromAscii } from '../../../src/protocol/bytes.ts';
import { type Kernel, type Life, never } from './stand-ins/kernel.ts';

/** One APDU with the chip's work, contactless. ms */
const apduMs = 2;

/** A VERIFY that reached a card, as whoever stands beside sees it */
export type SeenVerify = { readonly card: VirtualCard; readonly body: Uint8Array };

type Open = { readonly life: Life; readonly session: CardSession; kill(): void };

/** The bed of the counter and the card that lies there; outlives every process. */
export class Bed {
  readonly #kernel: Kernel;
  #card: { readonly made: MadeCard; readonly card: VirtualCard } | null = null;
  #listener: { readonly life: Life; readonly tell: (event: CardReaderEvent) => void } | null = null;
  #open: Open | null = null;
  #insertions = 0;
  isPlugged = true;
  apdus = 0;
  /** Called before the APDU of this number reaches the card */
  readonly atApdu = new Map<number, () => void>();
  onVerify: (verify: SeenVerify) => void = () => {};

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get lying(): MadeCard | null {
    return this.#card?.made ?? null;
  }
  get lyingCard(): VirtualCard | null {
    return this.#card?.card ?? null;
  }

  lay(made: MadeCard, card: VirtualCard): void {
    this.pull();
    this.#card = { made, card };
    this.#kernel.note(`card ${made.persona.id} laid down`);
    if (this.isPlugged) this.#insert();
  }
  pull(): void {
    if (this.#card === null) return;
    this.#kernel.note(`card ${this.#card.made.persona.id} taken`);
    this.#card = null;
    this.#end();
    if (this.isPlugged) this.#tell({ type: 'card-removed' });
  }
  unplug(): void {
    if (!this.isPlugged) return;
    this.isPlugged = false;
    this.#end();
    this.#tell({ type: 'reader-lost', failure: failure('reader.lost') });
  }
  plug(): void {
    if (this.isPlugged) return;
    this.isPlugged = true;
    this.#tell({ type: 'reader-found', reader: 'simulated' });
    if (this.#card !== null) this.#insert();
  }

  /** As one run of the terminal has it: pcscd lets go of the card of a process that died. */
  readerOf(life: Life): CardReader {
    this.#end();
    return {
      subscribe: (listener) => {
        this.#listener = { life, tell: listener };
        if (this.isPlugged) listener({ type: 'reader-found', reader: 'simulated' });
        else listener({ type: 'reader-lost', failure: failure('reader.lost') });
        if (this.isPlugged && this.#card !== null) this.#kernel.after(apduMs, life, () => this.#insert());
        return () => {
          if (this.#listener?.life === life) this.#listener = null;
        };
      },
      close: async () => this.#end(),
    };
  }

  #end(): void {
    this.#open?.kill();
    this.#open = null;
  }

  #insert(): void {
    const { life } = this.#listener ?? {};
    if (this.#card === null || life === undefined || life.dead || this.#open !== null) return;
    this.#insertions += 1;
    this.#open = this.#connect(life, this.#card.card, `insertion-${this.#insertions}`);
    this.#tell({ type: 'card-inserted', session: this.#open.session });
  }

  #tell(event: CardReaderEvent): void {
    const listener = this.#listener;
    if (listener === null) return;
    const { life } = listener;
    this.#kernel.after(1, life, () => {
      // A card that is gone again before anybody heard of it
      if (event.type === 'card-inserted' && this.#open?.session !== event.session) return;
      listener.tell(event);
    });
  }

  #connect(life: Life, card: VirtualCard, id: string): Open {
    let alive = true;
    let turn: Promise<unknown> = Promise.resolve();
    const removed = err(failure('card.removed'));
    card.reset();
    const answer = (command: Uint8Array): Promise<Result<Uint8Array>> => {
      if (!alive) return Promise.resolve(removed);
      const moment = this.atApdu.get(this.apdus);
      this.atApdu.delete(this.apdus);
      this.apdus += 1;
      moment?.();
      if (!alive) return Promise.resolve(removed);
      // Seen as it reaches the card: a process that dies as it sends has not asked it.
      const act = (): Uint8Array | null => {
        if (!alive) return null;
        if (command[1] === 0x20 && command.length > 5) this.onVerify({ card, body: command.slice(5) });
        return card.transmit(command);
      };
      // A card pulled while it answers has acted all the same.
      return this.#kernel.outside(act).then((answered) => (alive && answered !== null ? ok(answered) : removed));
    };
    const kill = (): void => {
      if (alive) card.reset();
      alive = false;
    };
    const session: CardSession = {
      id,
      atr: card.atr,
      transmit: (command) => {
        if (life.dead) return never();
        const answered = turn.then(() => answer(command));
        turn = answered;
        return answered;
      },
      end: async () => {
        // A process that is dead ends nobody's card.
        if (!life.dead) kill();
      },
    };
    return { life, session, kill };
  }

  /** The second camera sees what is printed on the card that lies there. */
  frontReader(): CardFrontReader {
    return {
      readVerificationNumberB: async () => {
        const printed = this.#card?.made.printedNumberB ?? null;
        return printed === null ? err(failure('card.number-b-unreadable', 'no card')) : ok(fromAscii(printed));
      },
      close: async () => {},
    };
  }
}

type Attempt = { readonly life: Life; readonly tell: (event: FaceAttemptEvent) => void };

/** How the face process feels. `frozen`: the camera shows the same picture for ever */
type FaceMood = { isDead: boolean; isFrozen: boolean };

/** The face process: it compares the photo that it was given with who stands there, as well as any. */
export class FaceBooth {
  readonly #kernel: Kernel;
  readonly mood: FaceMood = { isDead: false, isFrozen: false };
  #attempt: Attempt | null = null;
  #health: { readonly life: Life; readonly tell: (trouble: Failure | null) => void } | null = null;
  /** Which photo (its first bytes) belongs to whom */
  readonly whose: (photo: Uint8Array) => string | null;
  standing: string | null = null;
  /** So many tries end without a match first */
  misses = 0;
  onCompare: (photoOf: string | null) => void = () => {};
  onMatch: () => void = () => {};

  constructor(kernel: Kernel, whose: (photo: Uint8Array) => string | null) {
    this.#kernel = kernel;
    this.whose = whose;
  }

  verifierOf(life: Life): FaceVerifier {
    this.#attempt = null;
    return {
      start: ({ referenceJp2 }, listener) => {
        const own = { life, tell: listener };
        this.#attempt = own;
        if (this.mood.isDead) this.#say(own, { type: 'failed', failure: failure('face.process-lost') });
        void Promise.resolve(referenceJp2).then((photo) => {
          if (this.#attempt !== own || life.dead) return;
          if (photo === null) return this.#say(own, { type: 'failed', failure: failure('face.reference-unusable') });
          const photoOf = this.whose(photo);
          this.onCompare(photoOf);
          this.#compare(own, photoOf);
        });
        return () => {
          if (this.#attempt === own) this.#attempt = null;
        };
      },
      subscribeHealth: (listener) => {
        this.#health = { life, tell: listener };
        listener(this.mood.isDead ? failure('face.process-lost') : null);
        return () => {
          if (this.#health?.life === life) this.#health = null;
        };
      },
      close: async () => {},
    };
  }

  setMood(mood: Partial<FaceMood>): void {
    const wasDead = this.mood.isDead;
    Object.assign(this.mood, mood);
    const attempt = this.#attempt;
    if (attempt !== null && mood.isDead === true)
      this.#say(attempt, { type: 'failed', failure: failure('face.process-lost') });
    if (attempt !== null && mood.isFrozen === true)
      this.#say(attempt, { type: 'failed', failure: failure('camera.frozen') });
    const health = this.#health;
    if (health !== null && wasDead !== this.mood.isDead)
      this.#kernel.after(1, health.life, () => health.tell(this.mood.isDead ? failure('face.process-lost') : null));
  }

  #say(own: Attempt, event: FaceAttemptEvent): void {
    this.#kernel.after(1, own.life, () => {
      if (this.#attempt === own) own.tell(event);
    });
  }

  #compare(own: Attempt, photoOf: string | null): void {
    this.#kernel.after(350, own.life, () => {
      if (this.#attempt !== own || this.mood.isDead) return;
      if (this.mood.isFrozen) return own.tell({ type: 'failed', failure: failure('camera.frozen') });
      if (photoOf === null || photoOf !== this.standing || this.misses > 0) {
        this.misses = Math.max(0, this.misses - 1);
        own.tell({ type: 'missed' });
        return this.#compare(own, photoOf);
      }
      this.onCompare(photoOf);
      this.onMatch();
      own.tell({ type: 'matched' });
    });
  }
}

/** The page on the counter: shows, and takes a finger. */
export class Glass {
  readonly #kernel: Kernel;
  #now: ScreenModel | null = null;
  #listener: { readonly life: Life; readonly tell: (event: ScreenEvent) => void } | null = null;
  onShown: (model: ScreenModel) => void = () => {};

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get now(): ScreenModel | null {
    return this.#now;
  }

  screenOf(life: Life): Screen {
    this.#now = null;
    return {
      show: (model) => {
        if (life.dead) return;
        this.#now = model;
        this.onShown(model);
      },
      preview: () => {},
      subscribe: (listener) => {
        this.#listener = { life, tell: listener };
        return () => {
          if (this.#listener?.life === life) this.#listener = null;
        };
      },
      close: async () => {},
    };
  }

  #tell(event: ScreenEvent): void {
    const listener = this.#listener;
    if (listener !== null) this.#kernel.after(1, listener.life, () => listener.tell(event));
  }
  touch({ session, revision }: ScreenModel, control: ControlId, value?: string): void {
    this.#tell({ type: 'touched', touch: { session, revision, control, ...(value === undefined ? {} : { value }) } });
  }
  key(key: number): void {
    this.#tell({ type: 'pin-key', key });
  }
}
