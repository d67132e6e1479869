/** In the terminal's network namespace: a page that stays open, as the kiosk's does. */
import { setTimeout as pause } from 'node:timers/promises';
import { ScriptedPatient } from '../../demonstration/scripted-patient.ts';

const patient = await ScriptedPatient.before(8480);
await patient.see('idle');
await pause(3_600_000);
