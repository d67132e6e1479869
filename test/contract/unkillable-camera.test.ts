import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFfmpegCamera } from '../../drivers/camera/ffmpeg-camera.ts';
import { rgbBytes, warmUpFrames } from '../../drivers/camera/piped-camera.ts';
import type { CameraEvent } from '../../src/ports/camera.ts';

/*
 * A process that waits in a device ("D") ends by no signal, SIGKILL included, before the device answers. None can be made
 * without such a device: here it is one at the place where the system begins processes, with the time simulated.
 */

class ProcessInDevice extends EventEmitter {
  readonly pid = 4_194_305;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly stdio = [null, this.stdout, this.stderr];
  readonly stdin = null;
  exitCode: number | null = null;
  signalCode: string | null = null;
  readonly signals: string[] = [];
  kill(signal: string): boolean {
    this.signals.push(signal);
    return true;
  }
  unref(): void {}
  show(frames: number): void {
    for (let frame = 0; frame < frames; frame += 1) this.stdout.write(Buffer.alloc(rgbBytes, frame + 1));
  }
  /** The device has answered at last: what was sent long ago takes its effect. */
  letGo(): void {
    this.signalCode = 'SIGKILL';
    this.emit('close', null, 'SIGKILL');
  }
}

const begun: ProcessInDevice[] = vi.hoisted(() => []);
vi.mock('node:child_process', () => ({
  spawn: () => {
    begun.push(new ProcessInDevice());
    return begun.at(-1);
  },
}));

/** As the issue has it: loss is the missing frames, not the end of the process. ms */
const toldWithinMs = 5_000;

beforeEach(() => {
  begun.length = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['gave pictures and stopped', warmUpFrames + 2],
  ['never gave one', 0],
])('a capture process that cannot be killed and %s is told as lost within 5 s', async (_, frames) => {
  const camera = createFfmpegCamera({ source: { device: '/dev/video9' } });
  const events: CameraEvent['type'][] = [];
  camera.subscribe(({ type }) => events.push(type));
  await vi.advanceTimersByTimeAsync(0);
  const [first] = begun;
  first?.show(frames);
  await vi.advanceTimersByTimeAsync(0);
  expect(events.filter((type) => type === 'frame')).toHaveLength(Math.max(0, frames - warmUpFrames));
  expect(events).not.toContain('lost');
  await vi.advanceTimersByTimeAsync(toldWithinMs);
  expect(events.at(-1)).toBe('lost');
  expect(first?.signals).toEqual(['SIGKILL']);

  // Its device cannot be opened a second time: no other process waits beside it, however long it takes.
  await vi.advanceTimersByTimeAsync(600_000);
  expect(begun).toHaveLength(1);
  first?.letGo();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(begun).toHaveLength(2);
  begun[1]?.show(warmUpFrames + 1);
  await vi.advanceTimersByTimeAsync(0);
  expect(events.slice(-2)).toEqual(['found', 'frame']);
  await Promise.all([camera.close(), vi.advanceTimersByTimeAsync(toldWithinMs)]);
});

test('nobody who closes a camera waits for a process that cannot be killed', async () => {
  const camera = createFfmpegCamera({ source: { device: '/dev/video9' } });
  camera.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(0);
  const closed = vi.fn();
  void camera.close().then(closed);
  await vi.advanceTimersByTimeAsync(toldWithinMs);
  expect(closed).toHaveBeenCalledOnce();
});
