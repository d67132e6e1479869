/**
 * scripts/test-vm [--json] [--debs DIR] [--suite bookworm|trixie] [--without-kiosk] [--only PARTS] [--keep] [--root DIR]
 *                 [--qemu-seconds 1500] [--picture FILE] [--former DIR]
 *
 * A Debian made a moment ago gets the packages of `npm run package` by apt, without recommended ones; then a real systemd
 * boots in a container and the technician's guide is carried out command by command, with one action at the terminal (the
 * stick), a release profile and a test request; processes are killed and hung, a patient with a PIN is served in the test
 * profile, a broken terminal is replaced, the clinic moves to another PC, the packages go back and forth and away. After
 * that the same files boot in QEMU (emulated processor: minutes) with Debian's kernel: the kiosk on a display, a HID keypad
 * and a camera of the kernel. Then, from each earlier release in a Debian of its own: update, way back, update, away. Needs
 * root, mmdebstrap, systemd-container, qemu-system-x86, e2fsprogs, busybox-static.
 *   --former  a folder of packages for each earlier release (scripts/package/former-packages.ts); without it, every tag v…
 *   --only    some of guided,killed,hung,wholeVisit,typed,updates,laterForm,adopted,withoutPage (inside.ts); `former`: the earlier releases alone
 *   --keep    the root stays, with its packages: no purge
 *   --root    a root that --keep left: only what comes after the container; with --inside the container, too
 * Exit status 1: something was not as it must be.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { project } from '../../package/tree.ts';
import { tryDevices } from './devices.ts';
import { tryFormer } from './former.ts';
import { guideCommands } from './guide.ts';
import { installPackages, makeRoot, purgePackages, readTrial, type Step, say, trialInside } from './root.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    keep: { type: 'boolean' },
    only: { type: 'string' },
    'without-kiosk': { type: 'boolean' },
    suite: { type: 'string', default: 'bookworm' },
    debs: { type: 'string', default: 'packages' },
    former: { type: 'string' },
    root: { type: 'string' },
    inside: { type: 'boolean' },
    picture: { type: 'string', default: '.cache/test-vm-screen.png' },
    // Everything in QEMU runs ten to twenty times slower.
    'qemu-seconds': { type: 'string', default: '1500' },
  },
});
const debs = resolve(values.debs);
if (values.root === undefined && !existsSync(debs)) {
  say(`${debs}: no packages there; make them with: npm run package -- --once --arch amd64 --out ${values.debs}`);
  process.exit(2);
}

type Run = {
  readonly steps: Step[];
  figures: Readonly<Record<string, number>>;
  devices: Readonly<Record<string, boolean>>;
};

/** This release, from a blank Debian. */
const tryThis = async (run: Run): Promise<void> => {
  const { steps } = run;
  const root = values.root ?? makeRoot(values.suite);
  try {
    if (values.root === undefined)
      await installPackages(root, debs, guideCommands(join(project, 'docs/technician-guide.md')));
    if (values.root === undefined || values.inside) {
      say('booting …');
      rmSync(join(root, 'trial/only'), { force: true });
      if (values.only !== undefined) writeFileSync(join(root, 'trial/only'), values.only);
      const told = trialInside(root, 'inside.ts', 1_500);
      steps.push(...told.steps);
      run.figures = told.figures;
    }
    if (!values['without-kiosk']) {
      const tried = await tryDevices(root, resolve(values.picture), Number(values['qemu-seconds']));
      steps.push(...tried.steps);
      run.devices = tried.devices;
    }
    // A root that is kept for another look keeps its packages.
    if (values.root === undefined && !values.keep) steps.push(purgePackages(root, ''));
    if (values.root === undefined && steps.every(({ name }) => !/second run of both/.test(name))) {
      const detail = readTrial(root, 'inside.err').slice(-1_500);
      steps.push({ name: 'the run inside came to its end', ok: false, ms: 0, detail });
    }
  } finally {
    if (values.keep || values.root !== undefined) say(`kept: ${root}`);
    else rmSync(root, { recursive: true, force: true });
  }
};

const run: Run = { steps: [], figures: {}, devices: {} };
if (values.only !== 'former') await tryThis(run);
const isWhole = values.only === undefined && values.root === undefined;
const former =
  isWhole || values.only === 'former'
    ? await tryFormer(values.suite, debs, values.former && resolve(values.former), values.keep === true)
    : undefined;
const steps = [...run.steps, ...(former?.steps ?? [])];
const done = (name: RegExp): boolean =>
  steps.some((each) => name.test(each.name)) && steps.every((each) => each.ok || !name.test(each.name));
for (const { name, ok, ms, detail } of steps)
  say(
    `${ok ? 'OK ' : 'NOT'} ${name} (${(ms / 1_000).toFixed(1)} s)${ok || detail === undefined ? '' : `\n      ${detail}`}`,
  );
const failed = steps.filter(({ ok }) => !ok).length;
process.stdout.write(
  `${JSON.stringify({
    profile: 'release',
    blankToReadyActions: done(/^guide: uketsuke provision clinic --answers/) ? 1 : 0,
    profiles: { testRequest: 'release', visit: 'test' },
    systemd: true,
    suite: values.suite,
    visit: done(/a patient with a PIN/),
    ...run.devices,
    ...run.figures,
    ...(former && { former: former.releases, formerFigures: former.figures }),
    steps: steps.length,
    failed,
  })}\n`,
);
const slow = values.only !== 'former' && (run.figures.killRecoverMs ?? Number.POSITIVE_INFINITY) > 3_000;
process.exitCode = failed === 0 && steps.length > 0 && !slow ? 0 : 1;
