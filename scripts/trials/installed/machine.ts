/**
 * scripts/test-vm [--json] [--debs DIR] [--suite bookworm|trixie] [--without-kiosk] [--only PARTS] [--keep] [--root DIR]
 *                 [--qemu-seconds 1500] [--picture FILE] [--former DIR]
 *
 * A Debian made a moment ago gets the packages of `npm run package` by apt, without recommended ones; then a real systemd
 * boots in a container and the technician's guide is carried out command by command, with one action at the terminal (the
 * stick), a release profile and a test request; processes are killed and hung, a patient with a PIN is served in the test
 * profile, a broken terminal is replaced, the clinic moves to another PC, the packages go back and forth and away. After
 * that the same files boot in QEMU (emulated processor: minutes) with Debian's kernel: the kiosk on a display, a HID keypad
 * and a camera of the kernel. Needs root, mmdebstrap, systemd-container, qemu-system-x86, e2fsprogs, busybox-static.
 *   --former  a folder of packages for each earlier release; without it, these files under an earlier number
 *   --only    some of guided,killed,hung,wholeVisit,updates,adopted,withoutPage (inside.ts)
 *   --keep    the root stays, with its packages: no purge
 *   --root    a root that --keep left: only what comes after the container; with --inside the container, too
 * Exit status 1: something was not as it must be.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { project } from '../../package/tree.ts';
import { tryDevices } from './devices.ts';
import { guideCommands } from './guide.ts';
import { boot, installPackages, makeRoot, readTrial, say } from './root.ts';

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

type Step = { readonly name: string; readonly ok: boolean; readonly ms: number; readonly detail?: string };

const inside =
  '/usr/lib/uketsuke/node/bin/node --disable-warning=ExperimentalWarning /project/scripts/trials/installed/inside.ts 2>/trial/inside.err';
/** The packages go; what is left of ours anywhere is listed. */
const purge = `DEBIAN_FRONTEND=noninteractive apt-get purge -y -q 'uketsuke*' >/trial/purge.txt 2>&1
echo $? >/trial/purge.status
find /etc /var /usr /run -name '*uketsuke*' -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/var/lib/systemd/*' -not -path '/run/systemd/*' >/trial/left.txt`;

const root = values.root ?? makeRoot(values.suite);
const steps: Step[] = [];
let figures: Readonly<Record<string, number>> = {};
let devices: Readonly<Record<string, boolean>> = {};
try {
  if (values.root === undefined) {
    const commands = guideCommands(join(project, 'docs/technician-guide.md'));
    await installPackages(root, resolve(values.debs), commands, values.former && resolve(values.former));
  }
  if (values.root === undefined || values.inside) {
    say('booting …');
    rmSync(join(root, 'trial/only'), { force: true });
    if (values.only !== undefined) writeFileSync(join(root, 'trial/only'), values.only);
    rmSync(join(root, 'trial/steps.json'), { force: true });
    boot(root, inside, 1_500);
  }
  const told = JSON.parse(readTrial(root, 'steps.json') || '{"steps":[],"figures":{}}') as {
    steps: Step[];
    figures: typeof figures;
  };
  steps.push(...told.steps);
  figures = told.figures;
  if (!values['without-kiosk']) {
    const tried = await tryDevices(root, resolve(values.picture), Number(values['qemu-seconds']));
    steps.push(...tried.steps);
    devices = tried.devices;
  }
  // A root that is kept for another look keeps its packages.
  if (values.root === undefined && !values.keep) {
    say('taking the packages away …');
    boot(root, purge, 300);
    const left = readTrial(root, 'left.txt');
    const gone = readTrial(root, 'purge.status') === '0' && left === '';
    steps.push({ name: 'purge leaves nothing', ok: gone, ms: 0, ...(left && { detail: left }) });
  }
  const done = (name: RegExp): boolean =>
    steps.some((each) => name.test(each.name)) && steps.every((each) => each.ok || !name.test(each.name));
  if (values.root === undefined && steps.every(({ name }) => !/second run of both/.test(name)))
    steps.push({
      name: 'the run inside came to its end',
      ok: false,
      ms: 0,
      detail: readTrial(root, 'inside.err').slice(-1_500),
    });
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
      ...devices,
      ...figures,
      steps: steps.length,
      failed,
    })}\n`,
  );
  const slow = (figures.killRecoverMs ?? Number.POSITIVE_INFINITY) > 3_000;
  process.exitCode = failed === 0 && !slow ? 0 : 1;
} finally {
  if (values.keep || values.root !== undefined) say(`kept: ${root}`);
  else rmSync(root, { recursive: true, force: true });
}
