/**
 * Paints for a camera in another process: raw pictures into standard output from `go` on standard input until `rest`. It paints
 * ahead while it rests: whoever looks at a real camera's pictures has both processors for it, too.
 */
import { createInterface } from 'node:readline';
import { emptyScene, frameHeight, frameWidth, type Scene, SceneRenderer, sceneBefore } from './render-scene.ts';
import { usualFramesPerSecond, type VirtualCameraSettings } from './virtual-camera.ts';
import { hearOrders } from './virtual-camera-control.ts';

/** Of 0.9 MB each: two seconds at 30 a second, longer than a face is looked at */
const mostAhead = 60;

const settings = JSON.parse(process.argv[2] ?? '{}') as VirtualCameraSettings;
const intervalMs = 1_000 / (settings.framesPerSecond ?? usualFramesPerSecond);
const renderer = new SceneRenderer(settings.seed);
let scene: Scene = emptyScene;
let painted = 0;
let ahead: Uint8Array[] = [];
let shown: NodeJS.Timeout | null = null;
let isPainting = false;

const paint = (): Uint8Array => {
  const rgb = new Uint8Array(frameWidth * frameHeight * 3);
  renderer.render(scene, painted++ * intervalMs, rgb);
  return rgb;
};

/** One in a turn, so that it hears what it is told. */
const paintAhead = (): void => {
  isPainting = shown === null && ahead.length < mostAhead;
  if (!isPainting) return;
  ahead.push(paint());
  setImmediate(paintAhead);
};
const fillUp = (): void => {
  if (!isPainting) paintAhead();
};

let latest = scene;
const stand = async (next: Scene): Promise<void> => {
  latest = next;
  for (const person of next.people) await renderer.load(person.face);
  if (latest !== next || JSON.stringify(next) === JSON.stringify(scene)) return;
  scene = next;
  ahead = [];
  fillUp();
};

const show = (): void => {
  const rgb = ahead.shift() ?? paint();
  // One picture at a time: whoever is slow to read sees fewer, as with a real camera.
  if (!process.stdout.writableNeedDrain) process.stdout.write(rgb);
};

void stand(sceneBefore(settings.face ?? null));
if (settings.controlSocket !== undefined) hearOrders(settings.controlSocket, (orders) => void stand(orders.scene));
createInterface({ input: process.stdin })
  .on('line', (order) => {
    if (shown !== null) clearInterval(shown);
    shown = order === 'go' ? setInterval(show, intervalMs) : null;
    fillUp();
  })
  .on('close', () => process.exit(0));
