import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readFacilitySettings } from '../../src/agent/settings/facility-settings-file.ts';
import { readAnswers } from '../../src/cli/provision-clinic.ts';
import { describeSettings, type JsonSchema } from '../../src/config-file/read-settings.ts';
import { agentConfigSchema, readAgentConfig } from '../../src/processes/agent-config.ts';
import { facilitySettingsSchema } from '../../src/wire/facility-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-agent-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("the agent's own file", () => {
  test.each([
    ['a section that is text', 'broker: abc\n', 1, 9],
    ['a section that is a list', 'broker: []\n', 1, 9],
    ['a section left empty', 'staffPort: 1\nbroker:\n', 2, 1],
    ['the file itself a list', '- broker\n', 1, 1],
    ['a server path that lost a backslash', "oqsFolder: '\\server\\oqs'\n", 1, 12],
    ['a path from wherever the drive stands', 'oqsFolder: C:oqs\n', 1, 12],
    ['seconds for milliseconds', 'personalLifeMs: 86400\n', 1, 17],
    ['seconds for the service', 'service:\n  answerDelayMs: 3\n', 2, 18],
  ])('%s is refused, with file, line and column', async (_name, text, line, column) => {
    const path = write('agent.yaml', text);
    await expect(readAgentConfig(folder)).rejects.toThrow(`${path}:${line}:${column}: `);
  });

  test('Windows paths are taken as they are; the command line goes over the file', async () => {
    write(
      'agent.yaml',
      "oqsFolder: 'C:\\OQS 共有'\njournal: '\\\\server\\share\\journal.sqlite'\nbroker:\n  port: 8884\n",
    );
    const config = await readAgentConfig(folder, { broker: { host: '::1' } });
    expect(config.broker).toMatchObject({ host: '::1', port: 8884 });
    expect(config.oqsFolder.endsWith('C:\\OQS 共有')).toBe(true);
  });
});

test("the facility's settings: a question or language that nobody knows, and a question named twice", async () => {
  const base =
    'facilityName: x\nmedicalInstitutionCode: "1310000001"\ninstitutionType: dental\nmedicalSubsidy: false\nprescriptionUse: 0\nprescriptionTiming: 0\nreferralDocuments: false\npadStrength: passive\n';
  const path = write('facility-settings.yaml', `${base}languages: [ja, en]\nasks: {TKK: true}\n`);
  expect((await readFacilitySettings(path)).asks).toEqual({ TKK: true });
  write('facility-settings.yaml', `${base}languages: [ja, jp]\nasks: {TKL: true}\n`);
  await expect(readFacilitySettings(path)).rejects.toThrow(/:10:13: .*no question.*\n.*:9:17: .*each language/);
  write('facility-settings.yaml', `${base}languages: [ja]\naskTKK: false\nasks: {TKK: true}\n`);
  await expect(readFacilitySettings(path)).rejects.toThrow(`${path}:10:1: unknown key "askTKK"`);
});

test('the answers of provision: a code without quotes, a name in capitals', async () => {
  const path = write('answers.yaml', 'facility: Clinic\nname: x\ninstitutionCode: 1310000001\nkind: medical\n');
  await expect(readAnswers(path)).rejects.toThrow(/:1:11: .*\n.*:3:18: /);
});

test('no time in milliseconds has a range in which the same time in seconds would be taken', () => {
  const wide: string[] = [];
  const walk = (at: JsonSchema, path: string): void => {
    for (const [key, setting] of Object.entries(at.properties ?? {})) {
      const { minimum = 0, maximum = 0 } = setting;
      if (key.endsWith('Ms') && maximum > 0 && minimum * 1_000 <= maximum) wide.push(`${path}${key}`);
      walk(setting, `${path}${key}.`);
    }
  };
  walk(describeSettings(agentConfigSchema), 'agent.');
  walk(describeSettings(facilitySettingsSchema), 'facility.');
  expect(wide).toEqual([]);
});
