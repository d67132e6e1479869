/**
 * The virtual camera painted in a process of its own (painter.ts), its pictures through a pipe, as a real one's come out of
 * ffmpeg: what painting costs is taken from nobody's models. Knows people and scenes, no faults.
 */
import { join } from 'node:path';
import type { Camera, CameraEvent } from '../../src/ports/camera.ts';
import { FrameAssembler, frameHeight, frameWidth, rgbBytes } from '../camera/piped-camera.ts';
import { runProgram } from '../host/run-program.ts';

/** `settings`: of the virtual camera (virtual-camera.ts). */
export const openCameraApart = (settings: object): Camera => {
  const listeners = new Set<(event: CameraEvent) => void>();
  const assembler = new FrameAssembler(rgbBytes, (rgb) => {
    const frame = { width: frameWidth, height: frameHeight, rgb, capturedAtMs: performance.now() };
    for (const listener of [...listeners]) listener({ type: 'frame', frame });
  });
  const painter = runProgram(process.execPath, [join(import.meta.dirname, 'painter.ts'), JSON.stringify(settings)], {
    onOutput: (piece) => assembler.push(piece),
    takesInput: true,
  });
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      painter.input?.write('go\n');
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) painter.input?.write('rest\n');
      };
    },
    close: async () => {
      listeners.clear();
      painter.stop();
      await painter.gone;
      assembler.wipe();
    },
  };
};
