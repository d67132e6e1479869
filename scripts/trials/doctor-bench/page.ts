/** In the terminal's network namespace: a page that is there and paints, as the kiosk's; begins anew when it is cut off. */
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { ScriptedPatient } from '../../demonstration/scripted-patient.ts';

for (;;) {
  const socket = new WebSocket('ws://127.0.0.1:8480/screen');
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.once('error', () => resolve());
  });
  new ScriptedPatient(socket);
  await ended;
  await pause(500);
}
