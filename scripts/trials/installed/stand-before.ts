/** In the terminal's network namespace: a page that stays open, as the kiosk's does, until the terminal ends. */
import WebSocket from 'ws';
import { ScriptedPatient } from '../../demonstration/scripted-patient.ts';

const socket = new WebSocket('ws://127.0.0.1:8480/screen');
// Paints what it is shown; an error is followed by the close.
new ScriptedPatient(socket);
socket.on('error', () => {});
socket.on('close', () => process.exit(1));
