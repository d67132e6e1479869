import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, test } from 'vitest';
import { configSchema } from '../../src/processes/terminal-config.ts';

/** The rules as polkit runs them: functions over an action and a subject, the first that answers decides. */
type Action = { readonly id: string; readonly lookup: (key: string) => string | undefined };
type Rule = (action: Action, subject: { readonly user: string }) => string | undefined;
const rules: Rule[] = [];
beforeAll(() => {
  const polkit = { Result: { YES: 'yes', NOT_HANDLED: undefined }, addRule: (rule: Rule) => void rules.push(rule) };
  runInNewContext(readFileSync('systemd/polkit/50-uketsuke.rules', 'utf8'), { polkit });
});

const may = (user: string, id: string, details: Readonly<Record<string, string>> = {}): boolean => {
  const action = { id, lookup: (key: string) => details[key] };
  return rules.map((rule) => rule(action, { user })).find((answer) => answer !== undefined) === 'yes';
};
const manageUnits = 'org.freedesktop.systemd1.manage-units';
const { machine, cardReader } = configSchema.parse({ facility: 'x', device: 'x', broker: { host: 'x' } });
/** `systemctl … VERB UNIT` of a setting, as systemd asks polkit about it */
const asked = (words: readonly string[]) => ({ verb: words.at(-2) ?? '', unit: words.at(-1) ?? '' });

/** Debian 12's polkit (122, duktape) told a file with an arrow in it `SyntaxError: parse error`, and went on without it. */
test('written in ECMAScript 5, as polkit reads it', () => {
  const code = readFileSync('systemd/polkit/50-uketsuke.rules', 'utf8').replaceAll(/^\/\/.*$/gm, '');
  expect(code.match(/=>|`|\b(const|let|class|async|of)\b|\.includes\(|\.\.\.|\?\?|\?\./g)).toBeNull();
  expect(rules).toHaveLength(3);
});

test('what the terminal runs by its settings it may: pcscd anew, the machine anew', () => {
  expect(may('uketsuke', manageUnits, asked(cardReader.serviceRestart))).toBe(true);
  expect(may('uketsuke', manageUnits, asked(machine.reboot))).toBe(true);
});

test.each([
  ['stop', 'reboot.target'],
  ['start', 'poweroff.target'],
  ['start', 'rescue.target'],
  ['start', 'pcscd.service'],
  ['stop', 'pcscd.service'],
  ['restart', 'uketsuke-link.service'],
  ['start', 'evil@reboot.target'],
  ['start', ''],
])('nothing else: %s %s', (verb, unit) => expect(may('uketsuke', manageUnits, { verb, unit })).toBe(false));

test.each(['uketsuke-link', 'uketsuke-face', 'uketsuke-kiosk', 'nobody', ''])('and nobody else: %s', (user) => {
  expect(may(user, manageUnits, asked(machine.reboot))).toBe(false);
  expect(may(user, manageUnits, asked(cardReader.serviceRestart))).toBe(false);
  expect(may(user, 'org.debian.pcsc-lite.access_card')).toBe(false);
});

test('no other right of systemd’s or of logind’s', () => {
  for (const id of [
    'org.freedesktop.systemd1.manage-unit-files',
    'org.freedesktop.login1.reboot',
    'org.freedesktop.login1.power-off',
  ])
    expect(may('uketsuke', id, asked(machine.reboot))).toBe(false);
});
