/** In the terminal's network namespace: one patient with a PIN, from the idle screen to the last. Prints that screen. */
import { ScriptedPatient } from '../../demonstration/scripted-patient.ts';
import { by, manner } from '../../demonstration/visits.ts';

const patient = await ScriptedPatient.before(8480);
const idle = await patient.see('idle');
process.stdout.write(`${JSON.stringify({ at: 'idle', facilityName: idle.facilityName })}\n`);
const last = await patient.follow(manner({ consent: 'agree', method: by('pin', '1234') }), [
  'accepted',
  'desk',
  'out-of-service',
]);
process.stdout.write(
  `${JSON.stringify({ at: last.screen, heading: last.heading, facilityName: last.facilityName })}\n`,
);
patient.leave();
