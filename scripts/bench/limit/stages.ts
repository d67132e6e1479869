/** One visit, cut where the person's part ends and the machine's begins. */
import WebSocket from 'ws';
import { personaById } from '../../../drivers/virtual/personas.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import type { ClinicDemo } from '../../demonstration/clinic-demo.ts';
import { type Reaction, ScriptedPatient } from '../../demonstration/scripted-patient.ts';
import type { Least } from './least.ts';

export type Method = 'face' | 'pin';
/** `card`: laid down → choice. `face`: chosen → known. `pin`: last key → known. `receipt`: last consent → receipt's screen. */
export type StageName = 'card' | 'face' | 'pin' | 'receipt';
type Stage = {
  readonly name: StageName;
  /** From the card's being laid down. ms */
  readonly fromMs: number;
  readonly tookMs: number;
  /** Of it, what wire and chip took */
  readonly deviceMs: number;
  readonly leastMs: number;
};
export type Visit = { readonly method: Method; readonly signatureMs: number; readonly stages: readonly Stage[] };

/** `prompted`: the head was asked to move, and a person's movement is in its time. `fell-to-pin`: the face was not known. */
type Astray = 'prompted' | 'fell-to-pin';
const prompts: ReadonlySet<string> = new Set(['turn-left', 'turn-right', 'blink']);
const isPrompt = ({ body }: ScreenModel): boolean =>
  body.kind === 'face' && body.hint !== null && prompts.has(body.hint);

export type Apdu = { readonly deviceMs: number; readonly atMs: number };

const now = (): number => performance.timeOrigin + performance.now();
/**
 * Two people in turn: whoever comes next is not waited for until the screen has forgotten the last one. The face of the one is
 * taken for living in every painted frame; of most others it is doubted now and then, and they are asked to move.
 */
export const personas: Readonly<Record<Method, string>> = { face: 'hanako', pin: 'taro' };

const presses: Readonly<Record<string, Extract<Reaction, { do: 'touch' }>['control']>> = {
  'consent-bundle': 'agree',
  'consent-item': 'agree',
  'specific-disease': 'agree',
  'referral-documents': 'next',
  'certificate-notice': 'next',
  summary: 'confirm',
};

/** Frames, and what they say, come while the card is read: with the photo's embedding all is there. */
const leastOf = (name: StageName, deviceMs: number, least: Least): number => {
  if (name === 'face') return deviceMs + least.referenceMs;
  // The terminal's row and the agent's journal.
  if (name === 'receipt') return deviceMs + 2 * least.fsyncMs + least.roundTripMs;
  return deviceMs;
};

/** A patient who writes down when each screen came and when the finger went down. */
export class TimedPatient {
  readonly #patient: ScriptedPatient;
  readonly #moments: { readonly what: string; readonly atMs: number }[];

  constructor(patient: ScriptedPatient, moments: { readonly what: string; readonly atMs: number }[]) {
    this.#patient = patient;
    this.#moments = moments;
  }

  static async before(screenPort: number): Promise<TimedPatient> {
    const moments: { what: string; atMs: number }[] = [];
    const socket = new WebSocket(`ws://127.0.0.1:${screenPort}/screen`);
    const send = socket.send.bind(socket) as (data: unknown) => void;
    socket.send = ((data: unknown) => {
      const isTouch = typeof data === 'string' && data.includes('"touch"');
      // The last key of a PIN is 決定.
      const isEnter = data instanceof Uint8Array && data[0] === 0x0d;
      if (isTouch || isEnter) moments.push({ what: 'finger', atMs: now() });
      send(data);
    }) as typeof socket.send;
    const patient = new ScriptedPatient(socket, (model) => moments.push({ what: model.screen, atMs: now() }));
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new TimedPatient(patient, moments);
  }

  /** Instead of a visit: why it is none of the machine alone. */
  async visit(
    demo: ClinicDemo,
    method: Method,
    apdus: readonly Apdu[],
    least: Least,
    signatureMs: number,
  ): Promise<Visit | Astray> {
    const moments = this.#moments;
    const persona = personas[method];
    const { pins } = personaById(persona);
    moments.length = 0;
    const beganMs = now();
    const firstApdu = apdus.length;
    demo.order({ type: 'insert', persona });
    const digits = new TextEncoder().encode(pins.auth?.secret ?? '');
    let astray: Astray | null = null;
    const react = (model: ScreenModel): Reaction => {
      if (isPrompt(model)) astray ??= 'prompted';
      const control = presses[model.screen];
      if (control !== undefined) return { do: 'touch', control };
      if (model.screen === 'choose-method') return { do: 'touch', control: method === 'face' ? 'use-face' : 'use-pin' };
      if (model.screen !== 'pin') return { do: 'wait' };
      if (method === 'face') astray = 'fell-to-pin';
      const isFree = model.body.kind === 'pin' && model.body.entered === 0 && !model.body.checking;
      return isFree ? { do: 'type-pin', digits: digits.slice() } : { do: 'wait' };
    };
    // What the last one saw to the end stands there until this card is known.
    await this.#patient.see('reading', 'choose-method');
    const end = await this.#patient.follow(react, ['accepted', 'desk']);
    demo.order({ type: 'pull' });
    if (end.screen === 'desk') throw new Error(`the visit went to the desk: ${end.heading}`);
    if (astray !== null) return astray;
    const own = apdus.slice(firstApdu);
    const stages = cut(method, moments, beganMs).map(({ name, fromMs, toMs }): Stage => {
      const within = own.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
      const deviceMs = within.reduce((sum, each) => sum + each.deviceMs, 0);
      const leastMs = leastOf(name, deviceMs, least);
      return { name, fromMs: fromMs - beganMs, tookMs: toMs - fromMs, deviceMs, leastMs };
    });
    return { method, signatureMs, stages };
  }

  leave(): void {
    this.#patient.leave();
  }
}

type Cut = { readonly name: StageName; readonly fromMs: number; readonly toMs: number };

/** The agent's receipt is there; what the national service says comes when it comes. */
const received: ReadonlySet<string> = new Set(['waiting-result', 'accepted']);

/** Where each of the machine's parts began and ended. @throws Error naming the part that has no end */
export const cut = (
  method: Method,
  moments: readonly { readonly what: string; readonly atMs: number }[],
  beganMs: number,
): readonly Cut[] => {
  const first = (what: (name: string) => boolean, afterMs: number, part: string): number => {
    const found = moments.find((moment) => moment.atMs >= afterMs && what(moment.what));
    if (found === undefined) throw new Error(`the visit has no end of ${part}`);
    return found.atMs;
  };
  const chosenMs = first((what) => what === 'choose-method', beganMs, 'the reading');
  const fingers = moments.filter(({ what }) => what === 'finger').map(({ atMs }) => atMs);
  // The first finger chooses; by PIN the second is 決定.
  const verifyingMs = fingers[method === 'face' ? 0 : 1];
  const lastMs = fingers.at(-1);
  if (verifyingMs === undefined || lastMs === undefined) throw new Error('nobody touched anything');
  const isKnown = (what: string): boolean => what in presses || received.has(what);
  return [
    { name: 'card', fromMs: beganMs, toMs: chosenMs },
    { name: method, fromMs: verifyingMs, toMs: first(isKnown, verifyingMs, method) },
    { name: 'receipt', fromMs: lastMs, toMs: first((what) => received.has(what), lastMs, 'the receipt') },
  ];
};
