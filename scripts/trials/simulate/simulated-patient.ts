import type { MadeCard } from '../../../drivers/virtual/card-maker.ts';
import type { VirtualCard } from '../../../drivers/virtual/virtual-card.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import type { ControlId } from '../../../src/core/visit/control-ids.ts';
import type { Session } from '../../../src/core/visit/session.ts';
import { visitOf } from '../../../src/core/visit/session-steps.ts';
import type { Bed, FaceBooth, Glass } from './counter.ts';
import type { Judge } from './judge.ts';
import type { VisitPlan } from './plan.ts';
import type { Kernel } from './stand-ins/kernel.ts';
import { Rng } from './stand-ins/rng.ts';

const enterKey = 0x0d;
const clearKey = 0x08;
/** Nobody stays longer. ms */
const patienceMs = 400_000;

type Counter = {
  readonly kernel: Kernel;
  readonly bed: Bed;
  readonly booth: FaceBooth;
  readonly glass: Glass;
  readonly judge: Judge;
  /** What the terminal takes itself to be doing; null: it is off */
  readonly session: () => Session | null;
  /** Staff look at the face and say yes on the page of the agent. */
  readonly approve: (session: string) => void;
};

/** Somebody with a card before the counter: looks at the screen, thinks, touches, and is gone in the end. */
export class Patient {
  readonly #counter: Counter;
  readonly #plan: VisitPlan;
  readonly #made: MadeCard;
  readonly #card: VirtualCard;
  readonly #rng: Rng;
  readonly #leavesAtMs: number;
  readonly #isGone: () => void;
  #looking: (() => void) | null = null;
  #wrongPins: number;
  #gone = false;
  /** Goes without the card; somebody finds it there. */
  isForgetful = false;
  #holdsCard = true;
  #asked = 0;
  /** Looks at an idle screen, the card on the bed */
  #idle = 0;

  constructor(counter: Counter, plan: VisitPlan, card: { made: MadeCard; card: VirtualCard }, isGone: () => void) {
    this.#counter = counter;
    this.#plan = plan;
    this.#made = card.made;
    this.#card = card.card;
    this.#rng = new Rng(`whims ${plan.whims} ${plan.persona}`);
    this.#wrongPins = plan.wrongPins;
    this.#isGone = isGone;
    this.#leavesAtMs = counter.kernel.nowMs + patienceMs;
    counter.booth.standing = plan.persona;
    counter.booth.misses = plan.faceMisses;
  }

  get card(): VirtualCard {
    return this.#card;
  }

  arrive(): void {
    this.#lay();
    this.#lookSoon();
    // Whatever the screen does: somebody looks again.
    const again = (): void => {
      if (this.#gone) return;
      this.#lookSoon();
      this.#counter.kernel.after(20_000, null, again);
    };
    this.#counter.kernel.after(20_000, null, again);
  }

  /** Something new is on the screen. */
  shown(): void {
    if (!this.#gone) this.#lookSoon();
  }

  /** By accident, or for good. */
  pull(): void {
    if (this.#counter.bed.lyingCard !== this.#card) return;
    this.#counter.bed.pull();
    this.#holdsCard = true;
  }
  putBack(): void {
    if (!this.#gone && this.#holdsCard && this.#counter.bed.lying === null) this.#lay();
  }

  #lay(): void {
    this.#holdsCard = false;
    this.#counter.bed.lay(this.#made, this.#card);
  }

  #lookSoon(): void {
    if (this.#looking !== null) return;
    const { kernel } = this.#counter;
    this.#looking = kernel.after(850 + this.#rng.between(0, 350), null, () => {
      this.#looking = null;
      this.#look();
    });
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#looking?.();
    const { kernel, bed } = this.#counter;
    const findCard = (): void => {
      if (bed.lyingCard === this.#card) bed.pull();
    };
    if (this.isForgetful) kernel.after(45_000 + this.#rng.between(0, 60_000), null, findCard);
    else findCard();
    this.#counter.booth.standing = null;
    this.#isGone();
  }

  #look(): void {
    const { kernel, glass } = this.#counter;
    if (this.#gone) return;
    if (kernel.nowMs > this.#leavesAtMs) return this.#leave();
    const model = glass.now;
    if (model !== null) this.#act(model);
  }

  #touch(model: ScreenModel, control: ControlId, value?: string): void {
    if (!model.controls.some(({ id, value: own }) => id === control && (value === undefined || own === value))) return;
    this.#counter.judge.touched(model, control, this.#counter.session(), this.#counter.bed.lyingCard);
    this.#counter.glass.touch(model, control, value);
    this.#lookSoon();
  }

  #act(model: ScreenModel): void {
    const { bed, judge, session } = this.#counter;
    const rng = this.#rng;
    switch (model.screen) {
      case 'choose-method': {
        const control = { face: 'use-face', pin: 'use-pin', staff: 'call-staff' } as const;
        const wanted = control[this.#plan.method];
        return this.#touch(model, model.controls.some(({ id }) => id === wanted) ? wanted : 'call-staff');
      }
      case 'face':
        // Who has waited long takes another way.
        this.#asked += 1;
        if (this.#asked > 12) this.#touch(model, rng.chance(0.7) ? 'use-pin' : 'call-staff');
        return this.#lookSoon();
      case 'pin':
        return this.#typePin(model);
      case 'pin-last-try':
        return this.#touch(model, rng.chance(0.5) ? 'last-try-yes' : 'last-try-no');
      case 'staff-check': {
        const now = session();
        const visit = now === null ? null : visitOf(now.state);
        this.#asked += 1;
        if (visit !== null && this.#asked > 2 && rng.chance(0.8)) this.#counter.approve(visit.session);
        if (this.#asked > 12) return this.#leave();
        return this.#lookSoon();
      }
      case 'registration':
        return this.#touch(model, rng.chance(0.85) ? 'agree' : 'decline');
      case 'still-there':
        return rng.chance(0.9) ? this.#touch(model, 'still-here') : this.#lookSoon();
      case 'accepted':
        if (this.isForgetful) return this.#leave();
        if (!this.#holdsCard && rng.chance(0.95)) this.pull();
        return this.#lookSoon();
      case 'take-card':
      case 'card-left':
        if (rng.chance(0.7)) this.pull();
        return this.#lookSoon();
      case 'card-pulled':
        if (rng.chance(0.7)) this.putBack();
        return this.#lookSoon();
      case 'desk':
      case 'outage':
      case 'out-of-service':
        this.#asked += 1;
        if (this.#asked > 2 && !this.#plan.isPatient) return this.#leave();
        return this.#lookSoon();
      case 'idle':
        // The visit is over, whichever way.
        if (bed.lyingCard !== this.#card) return this.#leave();
        this.#idle += bed.isPlugged ? 1 : 0;
        if (this.#idle > 8) {
          judge.broken(
            'a fault without a name',
            `the card of ${this.#plan.persona} lies there, and the screen is idle`,
          );
          return this.#leave();
        }
        return this.#lookSoon();
      default:
        return this.#answer(model);
    }
  }

  #answer(model: ScreenModel): void {
    const rng = this.#rng;
    // Hurried people go.
    if (!this.#plan.isPatient && rng.chance(0.01)) return this.#leave();
    const yes = this.#plan.isPatient || rng.chance(0.65);
    switch (model.screen) {
      case 'consent-bundle':
        if (rng.chance(0.25)) return this.#touch(model, 'one-by-one');
        return this.#touch(model, yes ? 'agree' : 'decline');
      case 'consent-item':
      case 'specific-disease':
        if (rng.chance(0.06)) return this.#touch(model, 'back');
        return this.#touch(model, yes ? 'agree' : 'decline');
      case 'medical-subsidy':
        return this.#touch(model, yes ? 'use' : 'do-not-use');
      case 'prescription-form':
        return this.#touch(model, yes ? 'electronic' : 'paper');
      case 'referral-documents':
      case 'waiting-prescriptions': {
        const document = model.controls.find(({ id }) => id === 'toggle-document');
        if (document?.value !== undefined && rng.chance(0.4))
          return this.#touch(model, 'toggle-document', document.value);
        return this.#touch(model, 'next');
      }
      case 'certificate-notice':
        return this.#touch(model, 'next');
      case 'summary':
        if (rng.chance(0.05)) return this.#touch(model, 'start-over');
        return this.#touch(model, 'confirm');
      default:
        return this.#lookSoon();
    }
  }

  #typePin(model: ScreenModel): void {
    const { glass, judge, bed } = this.#counter;
    const secret = this.#made.persona.pins.auth?.secret ?? '0000';
    const { body } = model;
    if (body.kind !== 'pin' || body.checking) return this.#lookSoon();
    if (body.entered > 0) {
      glass.key(clearKey);
      return this.#lookSoon();
    }
    const isWrong = this.#wrongPins > 0;
    const digits = isWrong ? String((Number(secret) + 1 + this.#rng.between(0, 8)) % 10_000).padStart(4, '0') : secret;
    // Somebody looks up after two of the four, and begins anew.
    if (this.#rng.chance(0.04)) {
      for (const digit of digits.slice(0, 2)) glass.key(digit.charCodeAt(0));
      return this.#lookSoon();
    }
    for (const digit of digits) glass.key(digit.charCodeAt(0));
    glass.key(enterKey);
    if (isWrong) this.#wrongPins -= 1;
    judge.submitted(bed.lyingCard, digits);
    this.#lookSoon();
  }
}
