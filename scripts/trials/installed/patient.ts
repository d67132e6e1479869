/** In the terminal's network namespace: one patient with a PIN, from the idle screen to the last. Prints that screen. */
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import { type Reaction, ScriptedPatient } from '../../demonstration/scripted-patient.ts';

const byPin = (model: ScreenModel): Reaction => {
  switch (model.screen) {
    case 'choose-method':
      return { do: 'touch', control: 'use-pin' };
    case 'pin':
      return model.body.kind === 'pin' && model.body.entered === 0 && !model.body.checking
        ? { do: 'type-pin', digits: new TextEncoder().encode('1234') }
        : { do: 'wait' };
    case 'consent-bundle':
    case 'consent-item':
    case 'specific-disease':
      return { do: 'touch', control: 'agree' };
    case 'medical-subsidy':
      return { do: 'touch', control: 'use' };
    case 'prescription-form':
      return { do: 'touch', control: 'paper' };
    case 'referral-documents':
    case 'certificate-notice':
      return { do: 'touch', control: 'next' };
    case 'summary':
      return { do: 'touch', control: 'confirm' };
    default:
      return { do: 'wait' };
  }
};

const patient = await ScriptedPatient.before(8480);
const idle = await patient.see('idle');
process.stdout.write(`${JSON.stringify({ at: 'idle', facilityName: idle.facilityName })}\n`);
const last = await patient.follow(byPin, ['accepted', 'desk', 'out-of-service']);
process.stdout.write(
  `${JSON.stringify({ at: last.screen, heading: last.heading, facilityName: last.facilityName })}\n`,
);
patient.leave();
