/** Paints for a camera in another process: raw pictures into standard output from `go` on standard input until `rest`. */
import { createInterface } from 'node:readline';
import { VirtualCamera, type VirtualCameraSettings } from './virtual-camera.ts';

const camera = new VirtualCamera(JSON.parse(process.argv[2] ?? '{}') as VirtualCameraSettings);
let stop: (() => void) | null = null;
createInterface({ input: process.stdin })
  .on('line', (order) => {
    stop?.();
    stop = null;
    // One picture at a time: whoever is slow to read sees fewer, as with a real camera.
    if (order === 'go')
      stop = camera.subscribe((event) => {
        if (event.type === 'frame' && !process.stdout.writableNeedDrain) process.stdout.write(event.frame.rgb.slice());
      });
  })
  .on('close', () => process.exit(0));
