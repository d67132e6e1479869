/** A camera behind ffmpeg: raw frames over a pipe. V4L2 devices on a terminal; lavfi graphs and files in tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { failure } from '../src/core/failure.ts';
import type { CameraSettings } from '../src/face/messages.ts';
import type { Camera, CameraEvent } from '../src/ports/camera.ts';

const WIDTH = 640;
const HEIGHT = 480;
const FRAME_BYTES = WIDTH * HEIGHT * 3;
const FRAMES_PER_SECOND = 30;
/** Automatic exposure and white balance of a webcam settle in about half a second; until then frames are thrown away. */
const WARM_UP_FRAMES = 10;
/** No frame for so long = the camera is lost. Opening a USB camera takes up to two seconds. */
const STALL_MS = 4_000;
const RETRY_MS = 1_000;

type FfmpegCameraSettings = Omit<Extract<CameraSettings, { kind: 'ffmpeg' }>, 'kind'>;

const inputArguments = ({ source, framesPerSecond = FRAMES_PER_SECOND }: FfmpegCameraSettings): string[] => {
  if ('device' in source)
    return ['-f', 'v4l2', '-framerate', `${framesPerSecond}`, '-video_size', `${WIDTH}x${HEIGHT}`, '-i', source.device];
  // -re: a file or a graph would otherwise come as fast as the processor allows.
  return 'lavfi' in source
    ? ['-re', '-f', 'lavfi', '-i', source.lavfi]
    : ['-re', '-stream_loop', '-1', '-i', source.file];
};

export const ffmpegArguments = (settings: FfmpegCameraSettings): string[] => [
  ...['-nostdin', '-loglevel', 'error', '-fflags', 'nobuffer', '-flags', 'low_delay'],
  ...inputArguments(settings),
  ...['-an', '-vf', `scale=${WIDTH}:${HEIGHT}:force_original_aspect_ratio=increase,crop=${WIDTH}:${HEIGHT}`],
  ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
];

/** Puts frames together again: a pipe gives pieces of about 64 KiB, a frame has 900. */
export class FrameAssembler {
  readonly frame: Uint8Array;
  private filled = 0;
  private readonly whole: (frame: Uint8Array) => void;

  constructor(frameBytes: number, whole: (frame: Uint8Array) => void) {
    this.frame = new Uint8Array(frameBytes);
    this.whole = whole;
  }

  /** Copies the piece and overwrites it. */
  push(piece: Uint8Array): void {
    let taken = 0;
    while (taken < piece.length) {
      const count = Math.min(piece.length - taken, this.frame.length - this.filled);
      this.frame.set(piece.subarray(taken, taken + count), this.filled);
      taken += count;
      this.filled += count;
      if (this.filled < this.frame.length) continue;
      this.filled = 0;
      this.whole(this.frame);
    }
    piece.fill(0);
  }

  wipe(): void {
    this.frame.fill(0);
    this.filled = 0;
  }
}

class FfmpegCamera implements Camera {
  private readonly settings: FfmpegCameraSettings;
  private readonly listeners = new Set<(event: CameraEvent) => void>();
  private child: ChildProcess | null = null;
  private assembler: FrameAssembler | null = null;
  private gone: Promise<unknown> = Promise.resolve();
  private lost = false;
  private stallTimer: NodeJS.Timeout | null = null;
  private retryTimer: NodeJS.Timeout | null = null;

  constructor(settings: FfmpegCameraSettings) {
    this.settings = settings;
  }

  subscribe(listener: (event: CameraEvent) => void): () => void {
    this.listeners.add(listener);
    if (this.lost) listener({ type: 'lost', failure: failure('camera.lost') });
    if (this.child === null && this.retryTimer === null) this.open();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.shut();
    };
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.shut();
    await this.gone;
  }

  private emit(event: CameraEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  private open(): void {
    const child = spawn('ffmpeg', ffmpegArguments(this.settings), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    let warmUp = 'device' in this.settings.source ? WARM_UP_FRAMES : 0;
    const assembler = new FrameAssembler(FRAME_BYTES, (rgb) => {
      if (this.child !== child) return;
      this.expectFrame(child);
      if (warmUp-- > 0) return;
      if (this.lost) {
        this.lost = false;
        this.emit({ type: 'found' });
      }
      this.emit({ type: 'frame', frame: { width: WIDTH, height: HEIGHT, rgb, capturedAtMs: performance.now() } });
    });
    this.assembler = assembler;
    this.gone = new Promise((resolve) => child.once('close', resolve));
    let complaint = '';
    child.stderr.on('data', (piece: Buffer) => {
      complaint = (complaint + piece.toString('latin1')).slice(-300);
    });
    child.stdout.on('data', (piece: Buffer) => {
      if (this.child === child) assembler.push(piece);
      else piece.fill(0);
    });
    child.on('error', (error) => this.lose(child, error.message));
    child.on('close', () => this.lose(child, complaint.trim().split('\n').at(-1) ?? ''));
    this.expectFrame(child);
  }

  private expectFrame(child: ChildProcess): void {
    if (this.stallTimer !== null) {
      this.stallTimer.refresh();
      return;
    }
    this.stallTimer = setTimeout(() => {
      this.stallTimer = null;
      child.kill('SIGKILL');
    }, STALL_MS);
  }

  private stopWaiting(): void {
    if (this.stallTimer !== null) clearTimeout(this.stallTimer);
    this.stallTimer = null;
  }

  /** The device has gone, or was never there: says so once, then tries again for as long as somebody listens. */
  private lose(child: ChildProcess, why: string): void {
    if (this.child !== child) return;
    this.child = null;
    this.assembler?.wipe();
    this.stopWaiting();
    if (this.listeners.size === 0) return;
    if (!this.lost) {
      this.lost = true;
      this.emit({ type: 'lost', failure: failure('camera.lost', why) });
    }
    if (this.listeners.size === 0) return;
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null;
      this.open();
    }, RETRY_MS);
  }

  private shut(): void {
    this.stopWaiting();
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    const { child } = this;
    this.child = null;
    this.assembler?.wipe();
    child?.kill('SIGKILL');
  }
}

/** `camera.lost` when ffmpeg or the device is missing, or gives no frame for 4 s; it is found again by itself. */
export const createFfmpegCamera = (settings: FfmpegCameraSettings): Camera => new FfmpegCamera(settings);
