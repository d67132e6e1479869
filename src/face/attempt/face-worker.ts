/** Runs attempts: takes frames from the camera, asks the pipeline, tells the daemon; overwrites everything at the end. */
import { randomInt } from 'node:crypto';
import { type Failure, failure } from '../../core/failure.ts';
import type { PadStrength } from '../../core/visit/verification.ts';
import type { Camera, CameraEvent, Frame } from '../../ports/camera.ts';
import type { DepthCamera } from '../../ports/depth-camera.ts';
import type { FromFaceProcess } from '../../ports/face-process-messages.ts';
import type { FaceAttemptEvent } from '../../ports/face-verifier.ts';
import { prepareDecoder, type ReferenceDecoder } from '../models/decode-reference.ts';
import type { PadModels } from '../models/detect-attack.ts';
import type { Embedding } from '../models/embed-face.ts';
import type { RgbImage } from '../picture/sample-image.ts';
import { embedReference } from './embed-reference.ts';
import { AttemptCourse, type AttemptFinding, type AttemptStep } from './face-attempt.ts';
import { examineFrame, examineLiveness, type FrameFinding, faceBoxIn, sessionsOf } from './face-pipeline.ts';
import type { FaceModels } from './find-face.ts';
import { warmUp } from './warm-up.ts';
import { CameraWatch } from './watch-camera.ts';
import { DepthWatch } from './watch-depth.ts';

/** Ten pictures a second look fluent and cost 5 ms each. */
const previewIntervalMs = 100;
/**
 * While only the photo is waited for the models are left free for it, as it waits for whatever they have begun: a face that
 * goes away is noticed soon enough. Pictures come as often as ever. ms
 */
const awaitingIntervalMs = 400;

type Attempt = {
  readonly id: number;
  readonly course: AttemptCourse;
  readonly pad: PadModels | null;
  /** Made while the card is read. */
  readonly decoder: Promise<ReferenceDecoder>;
};

export const asAttemptFinding = (finding: FrameFinding, isRepeated: boolean): AttemptFinding => {
  const { hint, embedding, signals } = finding;
  if (embedding !== undefined) return { hint, embedding, signals, isRepeated };
  return { hint, isRepeated, ...(signals === undefined ? {} : { signals }) };
};

const codeOf = { suspected: 'face.attack-suspected', unsure: 'face.unsure' } as const;

/** Nobody must know when which prompt comes. */
const unguessable = (): number => randomInt(2 ** 32) / 2 ** 32;

type FaceWorkerParts = {
  readonly models: FaceModels;
  /** Models of attack detection, or why there are none. */
  readonly pad: PadModels | Failure;
  readonly camera: Camera;
  /** null: the terminal has none. */
  readonly depthCamera: DepthCamera | null;
  readonly threshold: number;
  /** What it keeps of a message it copies at once: a preview is overwritten afterwards. */
  readonly tell: (message: FromFaceProcess) => void;
  /** Mirrored JPEG of a frame. */
  readonly drawPreview: (frame: Frame) => Promise<Uint8Array>;
};

type KeptFrame = { readonly frame: Frame; readonly isRepeated: boolean };

export class FaceWorker {
  readonly #parts: FaceWorkerParts;
  readonly #watch = new CameraWatch();
  readonly #depth: DepthWatch | null;
  #attempt: Attempt | null = null;
  #unsubscribe: (() => void) | null = null;
  /** undefined: the camera has not shown anything yet. */
  #cameraTrouble: Failure | null | undefined;
  /** Copy of the frame being worked on, and of the latest that came meanwhile; reused. */
  #frameCopy = new Uint8Array(0);
  #nextCopy = new Uint8Array(0);
  #next: KeptFrame | null = null;
  /** The models have one input buffer each: whatever uses them waits for its turn here. */
  #lastTurn: Promise<unknown> = Promise.resolve();
  #turnsWaiting = 0;
  #framesSeen = 0;
  #lastPreviewMs = Number.NEGATIVE_INFINITY;
  #lastLookedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: FaceWorkerParts) {
    this.#parts = parts;
    this.#depth = parts.depthCamera === null ? null : new DepthWatch(parts.depthCamera);
  }

  /** Tries the camera; tells health once it has shown a picture. */
  start(): void {
    this.#followCamera();
    const { models, pad } = this.#parts;
    void this.#inTurn(() => warmUp(models, 'code' in pad ? null : pad));
  }

  /** Preview and hints begin; comparing begins with the reference. */
  begin(id: number, padStrength: PadStrength): void {
    const { pad, threshold } = this.#parts;
    if (this.#cameraTrouble) return this.#tellEvent(id, { type: 'failed', failure: this.#cameraTrouble });
    // Asked for and not there: comparing without it would be quietly weaker than the facility has set.
    if (padStrength !== 'off' && 'code' in pad) return this.#tellEvent(id, { type: 'failed', failure: pad });
    const course = new AttemptCourse(threshold, padStrength, unguessable, this.#depth !== null);
    const used = padStrength === 'off' || 'code' in pad ? null : pad;
    this.#attempt = { id, course, pad: used, decoder: prepareDecoder() };
    this.#watch.forgetSeen();
    if (padStrength !== 'off') this.#depth?.follow();
    this.#followCamera();
  }

  /** `jp2` is taken over and overwritten. */
  async receiveReference(id: number, jp2: Uint8Array): Promise<void> {
    const attempt = this.#attempt;
    const decoder = attempt?.id === id ? await attempt.decoder : null;
    if (attempt === null || decoder === null || this.#attempt !== attempt) return void jp2.fill(0);
    const decoded = decoder.decode(jp2);
    jp2.fill(0);
    const reference = decoded.ok ? await this.#embed(decoded.value) : decoded.failure;
    if (this.#attempt !== attempt) {
      if (reference instanceof Float32Array) reference.fill(0);
    } else if (reference instanceof Float32Array)
      this.#tellSteps(attempt, attempt.course.compareWith(reference, performance.now(), this.#watch.hasRepeated));
    else {
      this.#tellEvent(id, { type: 'failed', failure: reference });
      void this.#end();
    }
    // After the decision: nobody waits for it.
    decoder.wipe();
  }

  async stop(id: number): Promise<void> {
    if (this.#attempt?.id === id) await this.#end();
  }

  async close(): Promise<void> {
    await this.#end();
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    await Promise.all([this.#parts.camera.close(), this.#parts.depthCamera?.close()]);
  }

  #tellEvent(attempt: number, event: FaceAttemptEvent): void {
    this.#parts.tell({ type: 'event', attempt, event });
  }

  async #embed(photo: RgbImage): Promise<Embedding | Failure> {
    const embedding = await this.#inTurn(() => embedReference(this.#parts.models, photo));
    photo.rgb.fill(0);
    return embedding ?? failure('face.reference-unusable', 'no face in the picture');
  }

  /** The camera runs while an attempt runs, and until it is known to be well; otherwise its light is off. */
  #followCamera(): void {
    const wanted = this.#attempt !== null || this.#cameraTrouble !== null;
    if (wanted && this.#unsubscribe === null) {
      this.#watch.forget();
      this.#unsubscribe = this.#parts.camera.subscribe((event) => this.#onCamera(event));
    } else if (!wanted && this.#unsubscribe !== null) {
      this.#unsubscribe();
      this.#unsubscribe = null;
    }
  }

  #setCameraTrouble(trouble: Failure | null): void {
    if (this.#cameraTrouble !== undefined && this.#cameraTrouble?.code === trouble?.code) return;
    this.#cameraTrouble = trouble;
    this.#parts.tell({ type: 'health', trouble });
    const attempt = this.#attempt;
    if (trouble !== null && attempt !== null) {
      this.#tellEvent(attempt.id, { type: 'failed', failure: trouble });
      void this.#end();
    }
    this.#followCamera();
  }

  #onCamera(event: CameraEvent): void {
    if (event.type === 'lost') return this.#setCameraTrouble(event.failure);
    if (event.type === 'found') return this.#watch.forget();
    const fault = this.#watch.check(event.frame);
    if (fault !== null) return this.#setCameraTrouble(failure(fault));
    if (this.#watch.seesSomethingNew) this.#setCameraTrouble(null);
    if (this.#attempt === null) return;
    const { frame } = event;
    if (this.#nextCopy.length !== frame.rgb.length) {
      this.#nextCopy.fill(0);
      this.#nextCopy = new Uint8Array(frame.rgb.length);
    }
    this.#nextCopy.set(frame.rgb);
    this.#next = { frame: { ...frame, rgb: this.#nextCopy }, isRepeated: this.#watch.hasRepeated };
    if (this.#turnsWaiting === 0) this.#lookAtNext();
  }

  /** Of the frames that came while the models were busy the latest is looked at, at once: none is waited for. */
  #lookAtNext(): void {
    const [attempt, next] = [this.#attempt, this.#next];
    this.#next = null;
    if (attempt === null || next === null) return;
    const { capturedAtMs } = next.frame;
    const isSeenLately = attempt.course.awaitsPhoto && capturedAtMs - this.#lastLookedMs < awaitingIntervalMs;
    if (isSeenLately && !this.#isPreviewDue(next.frame)) return;
    [this.#frameCopy, this.#nextCopy] = [this.#nextCopy, this.#frameCopy];
    // A camera that comes back with another size: nobody will lay anything over the last picture of the old one.
    if (this.#nextCopy.length !== this.#frameCopy.length) this.#nextCopy.fill(0);
    if (isSeenLately) return void this.#inTurn(() => this.#showPreview(attempt, next.frame));
    this.#lastLookedMs = capturedAtMs;
    this.#depth?.keep(capturedAtMs);
    void this.#inTurn(() => this.#work(attempt, next.frame, next.isRepeated));
  }

  #inTurn<T>(use: () => Promise<T>): Promise<T> {
    this.#turnsWaiting++;
    const turn = this.#lastTurn.then(use).finally(() => {
      this.#turnsWaiting--;
      if (this.#turnsWaiting === 0) this.#lookAtNext();
    });
    this.#lastTurn = turn;
    return turn;
  }

  async #work(attempt: Attempt, frame: Frame, isRepeated: boolean): Promise<void> {
    const preview = this.#showPreview(attempt, frame);
    const finding = await examineFrame(this.#parts.models, frame, {
      mirrored: this.#framesSeen++ % 2 === 1,
    });
    await preview;
    await this.#tellOf(attempt, frame, finding, isRepeated);
    if (finding.embedding !== undefined) finding.mesh.fill(0);
  }

  async #tellOf(attempt: Attempt, frame: Frame, finding: FrameFinding, isRepeated: boolean): Promise<void> {
    if (this.#attempt !== attempt) {
      finding.embedding?.fill(0);
      return;
    }
    const { course, pad } = attempt;
    this.#tellSteps(attempt, course.take(asAttemptFinding(finding, isRepeated), frame.capturedAtMs));
    if (!course.wantsEvidence || pad === null || finding.embedding === undefined) return;
    const seen = this.#depth === null ? {} : { depth: this.#depth.judge(faceBoxIn(frame, finding.mesh)) };
    const evidence = { ...(await examineLiveness(pad, frame, finding.mesh)), ...seen };
    if (this.#attempt === attempt) this.#tellSteps(attempt, course.weigh(evidence));
  }

  #tellSteps(attempt: Attempt, steps: readonly AttemptStep[]): void {
    for (const step of steps) {
      if (step.type === 'suspected' || step.type === 'unsure')
        this.#tellEvent(attempt.id, { type: 'failed', failure: failure(codeOf[step.type]) });
      else this.#tellEvent(attempt.id, step);
      if (step.type !== 'hint' && step.type !== 'missed') void this.#end();
    }
  }

  #isPreviewDue({ capturedAtMs }: Frame): boolean {
    return capturedAtMs - this.#lastPreviewMs >= previewIntervalMs;
  }

  async #showPreview(attempt: Attempt, frame: Frame): Promise<void> {
    if (!this.#isPreviewDue(frame)) return;
    this.#lastPreviewMs = frame.capturedAtMs;
    const jpeg = await this.#parts.drawPreview(frame);
    if (this.#attempt === attempt) this.#tellEvent(attempt.id, { type: 'preview', jpeg });
    jpeg.fill(0);
  }

  async #end(): Promise<void> {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    attempt.course.wipe();
    this.#depth?.rest();
    this.#followCamera();
    await this.#wipe(attempt);
  }

  /** First all that is ours, at once; then the runtime's buffers, which take a run of each model. */
  async #wipe({ id, pad, decoder }: Attempt): Promise<void> {
    const endedAtMs = performance.now();
    await this.#inTurn(async () => {
      this.#frameCopy.fill(0);
      this.#nextCopy.fill(0);
      this.#next = null;
      const sessions = sessionsOf(this.#parts.models, pad);
      for (const session of sessions) session.input.fill(0);
      (await decoder).wipe();
      this.#parts.tell({ type: 'wiped', attempt: id, afterMs: performance.now() - endedAtMs });
      for (const session of sessions) await session.runOnNothing();
    });
  }
}
