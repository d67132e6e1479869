import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { isActive, mainPid, spawn, until } from './steps.ts';

/* What both runs inside do: the units of clinic and terminal on one machine, and a patient before them. */

export const terminalUnits = ['uketsuke.service', 'uketsuke-link.service', 'uketsuke-face.service'];
export const services = ['uketsuke-broker.service', 'uketsuke-agent.service', ...terminalUnits];
export const stick = '/media/usb';

export const allActive = (seconds: number): Promise<void> =>
  until(`active: ${services.filter((unit) => !isActive(unit)).join(', ')}`, seconds, () => services.every(isActive));

/** The one action at the terminal, the stick, is done: it has set itself up. */
export const setUpByStick = (): Promise<void> =>
  until(
    'the terminal is set up by its stick alone',
    120,
    () => existsSync('/etc/uketsuke/terminal.yaml') && services.every(isActive),
  );

const files = (): string[] => readdirSync('/srv/oqs/face').filter((name) => name.startsWith('OQSsiquc01res_face_TEST'));

/** A patient with a PIN before a real pcscd, from the idle screen to the last, and the file of that visit. */
export const servePatient = async (): Promise<void> => {
  const node = '/usr/lib/uketsuke/node/bin/node';
  const before = files().length;
  const script = '/project/scripts/trials/installed/patient.ts';
  const patient = spawn('nsenter', ['-t', String(mainPid('uketsuke.service')), '-n', node, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  patient.stdout.on('data', (part) => {
    told += String(part);
  });
  await until('the idle screen', 60, () => told.includes('"idle"'));
  const card = spawn(node, ['/project/src/main.ts', 'virtual-card', '--persona', 'hanako', '--cache', '/trial/cache'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await until('the last screen', 60, () => patient.exitCode !== null);
  } finally {
    card.kill('SIGTERM');
    patient.kill('SIGTERM');
    writeFileSync('/trial/patient.json', told);
  }
  if (!told.includes('"accepted"')) throw new Error(`the patient saw ${told}`);
  if (!told.includes('【テスト】')) throw new Error('the screen does not say that test cards are taken');
  await until('the file for the レセコン', 30, () => files().length > before);
};
