import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'uqr';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { askForEnrolment, listenForEnrolments, offerEnrolment } from '../../src/agent/provisioning/enrolment.ts';
import type { EnrolmentCode } from '../../src/agent/provisioning/enrolment-code.ts';
import { EnrolmentRefused, newLetters, offerLetters, qrText } from '../../src/agent/provisioning/enrolment-letters.ts';
import { addAgent, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { makeDeviceKeys } from '../../src/agent/provisioning/make-device-keys.ts';
import { attemptEnrolment, watchCamera } from '../../src/cli/await-enrolment.ts';
import { chooseCode, codeOfLetters } from '../../src/cli/find-enrolment.ts';
import type { CameraEvent } from '../../src/ports/camera.ts';

const code: EnrolmentCode = {
  ...{ facility: 'clinic-0001', device: 'terminal-01', lane: 1, host: '127.0.0.1', enrolmentPort: 1, brokerPort: 8883 },
  ...{ facilityCa: '', secret: 'A'.repeat(22), until: 1_000, test: true, acceptedModels: [] },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-await-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** 640 × 480, RGB, a QR code on grey. */
const pictureOf = (text: string): Uint8Array => {
  const [width, height, scale] = [640, 480, 6];
  const rgb = new Uint8Array(width * height * 3).fill(128);
  const { data, size } = encode(text, { border: 4 });
  for (let y = 0; y < size * scale; y += 1)
    for (let x = 0; x < size * scale; x += 1) {
      const dark = data[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      rgb.fill(dark ? 20 : 235, ((y + 40) * width + x + 90) * 3, ((y + 40) * width + x + 91) * 3);
    }
  return rgb;
};

test('an old QR code that lies before the camera is asked about once, told, and shuts nobody out', async () => {
  const facility = join(folder, 'facility');
  await createFacility(facility, { facility: 'clinic-0001', brokerNames: ['127.0.0.1'] });
  await addAgent(facility, 'agent-1');
  const { port, close } = await listenForEnrolments(facility, {}, { host: '127.0.0.1', port: 0 }, async () => {});
  try {
    const until = Date.now() + 3_600_000;
    const secret = await offerEnrolment(facility, { device: 'terminal-01', lane: 1, until });
    const facilityCa = readFileSync(join(facility, 'facility-ca.pem'), 'utf8');
    const open = { ...code, facilityCa, secret, until, enrolmentPort: port };
    const at = { host: '127.0.0.1', port };
    const stale = qrText({ ...at, letters: newLetters() });
    const right = qrText({ ...at, letters: await offerLetters(facility, open) });
    const said: string[] = [];
    const keys = await makeDeviceKeys(join(folder, 'terminal'));
    const attempts = attemptEnrolment(
      (found) => askForEnrolment(found, keys),
      (reason) => said.push(reason),
    );
    let show: (event: CameraEvent) => void = () => {};
    let looked = 0;
    const source = watchCamera(
      {
        subscribe: (listener) => {
          show = listener;
          return () => {};
        },
        close: async () => {},
      },
      {
        ...attempts,
        consider: async (...given) => {
          await attempts.consider(...given);
          looked += 1;
        },
      },
    );
    const frame = async (text: string): Promise<void> => {
      const before = looked;
      show({ type: 'frame', frame: { width: 640, height: 480, rgb: pictureOf(text), capturedAtMs: 0 } });
      await vi.waitFor(() => expect(looked).toBe(before + 1), { timeout: 60_000, interval: 5 });
    };
    await frame('https://192.0.2.1/');
    // More frames than the clinic's listener takes wrong guesses.
    for (let each = 0; each < 25; each += 1) await frame(stale);
    expect(said).toEqual([
      'the QR code before the camera is no enrolment code',
      expect.stringContaining('these letters are wrong, used or too old'),
    ]);
    await frame(right);
    expect((await attempts.served).facilityCa).toBe(facilityCa);
    source.close();
  } finally {
    close();
  }
});

test('what was not reached is tried again later, what was refused is not, and both are told once', async () => {
  let nowMs = 0;
  const said: string[] = [];
  const asked: string[] = [];
  const attempts = attemptEnrolment(
    async ({ secret }: EnrolmentCode) => {
      asked.push(secret);
      if (secret === 'away') throw new Error('is not reached');
      if (secret === 'old') throw new EnrolmentRefused('too old');
      return secret;
    },
    (reason) => said.push(reason),
    () => nowMs,
  );
  const show = (secret: string, insist = false): Promise<void> =>
    attempts.consider(secret, async () => ({ ...code, secret }), insist);
  for (const secret of ['away', 'old', 'away', 'old']) await show(secret);
  nowMs = 10_001;
  await show('away');
  await show('old');
  expect(asked).toEqual(['away', 'old', 'away']);
  expect(said).toEqual(['is not reached', 'too old']);
  // Somebody who types them is answered each time; the clinic is not asked.
  await show('old', true);
  expect([asked.length, said.at(-1), said.length]).toEqual([3, 'too old', 3]);
  await show('away', true);
  expect(asked.length).toBe(4);
  expect(attempts.wasRefused('old')).toBe(true);
  await show('good');
  expect(await attempts.served).toBe('good');
});

test('letters that are typed while another code is asked about wait for their turn', async () => {
  const first = Promise.withResolvers<string>();
  const attempts = attemptEnrolment(
    ({ secret }: EnrolmentCode) => (secret === 'slow' ? first.promise : Promise.resolve(secret)),
    () => {},
  );
  const slow = attempts.consider('slow', async () => ({ ...code, secret: 'slow' }));
  const typed = attempts.consider('typed', async () => ({ ...code, secret: 'typed' }), true);
  first.reject(new EnrolmentRefused('too old'));
  await Promise.all([slow, typed]);
  expect(await attempts.served).toBe('typed');
});

test('of several codes on a stick the newest that was not refused is this terminal’s, whatever its own clock says', () => {
  const old = { ...code, secret: 'old', until: 1 };
  const fresh = { ...code, secret: 'fresh', until: 2 };
  expect(chooseCode([fresh, old], () => true)).toBe(fresh);
  expect(chooseCode([fresh, old], ({ secret }) => secret !== 'fresh')).toBe(old);
  expect(chooseCode([], () => true)).toBe(null);
  expect(() => chooseCode([fresh, { ...fresh, device: 'terminal-02' }], () => true)).toThrow(
    /terminal-01, terminal-02/,
  );
});

const hasSocat = spawnSync('socat', ['-V']).status === 0;
if (!hasSocat) console.warn('skipped: "the keyboard" needs socat');
test.skipIf(!hasSocat)(
  'the keyboard brings letters, what is wrong stands on the screen, and nothing waits for a key afterwards',
  async () => {
    const [near, far] = [join(folder, 'near'), join(folder, 'far')];
    const line = spawn('socat', [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`], { stdio: 'ignore' });
    try {
      await vi.waitFor(() => expect(existsSync(near) && existsSync(far)).toBe(true), { timeout: 60_000 });
      const file = join(folder, 'console.ts');
      writeFileSync(
        file,
        `import { watchConsole } from '${new URL('../../src/cli/await-enrolment.ts', import.meta.url).pathname}';
       const screen = watchConsole('${near}', async (letters) => {
         screen.write('these letters are too old');
         process.stdout.write(letters);
         // An attempt may still tell of itself after the end.
         setImmediate(() => { screen.close(); screen.write('late'); });
       });
       process.stdout.write('ready ');`,
      );
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { stdio: 'pipe' });
      let said = '';
      child.stdout.on('data', (part) => {
        said += String(part);
      });
      child.stderr.on('data', (part) => {
        said += String(part);
      });
      await vi.waitFor(() => expect(said).toBe('ready '), { timeout: 60_000 });
      const ended = once(child, 'exit');
      writeFileSync(far, 'k2mn-9xyz\n');
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
      expect(await ended).toEqual([0, null]);
      clearTimeout(timer);
      expect(said).toBe('ready K2MN9XYZ');
    } finally {
      line.kill();
    }
  },
);

test('letters that another clinic in the house refuses are not refused by their own, which is not there yet', async () => {
  const other = join(folder, 'other');
  await createFacility(other, { facility: 'clinic-0002', brokerNames: ['127.0.0.1'] });
  await addAgent(other, 'agent-1');
  const { port, close } = await listenForEnrolments(other, {}, { host: '127.0.0.1', port: 0 }, async () => {});
  const [unreached, foreign] = [
    { host: '127.0.0.1', port: 1 },
    { host: '127.0.0.1', port },
  ];
  try {
    const letters = newLetters();
    const why = await codeOfLetters(letters, undefined, async () => [unreached, foreign]).catch((error) => error);
    expect(why).not.toBeInstanceOf(EnrolmentRefused);
    expect(why.message).toContain('is not reached');
    await expect(codeOfLetters(letters, undefined, async () => [foreign])).rejects.toBeInstanceOf(EnrolmentRefused);
    await expect(codeOfLetters(letters, undefined, async () => [])).rejects.toThrow('nobody in this network');
  } finally {
    close();
  }
});
