/** In the terminal's network namespace: a page that is there and paints, as the kiosk's; begins anew when it is cut off. */
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';

/** As src/screens tells it. ms */
const paintsMs = 6_000;

for (;;) {
  const socket = new WebSocket('ws://127.0.0.1:8480/screen');
  let revision = 0;
  const paint = (): void => socket.send(JSON.stringify({ painted: revision }));
  socket.on('message', (raw, binary) => {
    const { model } = binary ? {} : (JSON.parse(String(raw)) as { model?: { revision: number } });
    if (model === undefined) return;
    revision = model.revision;
    paint();
  });
  let painting: NodeJS.Timeout | undefined;
  socket.once('open', () => {
    painting = setInterval(paint, paintsMs);
  });
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.once('error', () => resolve());
  });
  clearInterval(painting);
  await pause(500);
}
