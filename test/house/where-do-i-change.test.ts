import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/*
 * README's table is the first thing that a newcomer follows. Each row is followed here: to each of its paths, and there
 * to the word without which the path would not be the answer.
 */

const section = /\n## Where do I change X\n([\s\S]*?)\n\n[^|]/.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| I want') && !line.startsWith('|---'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, wanted = '', here = '']) => ({
    wanted,
    paths: [...here.matchAll(/`((?:src|drivers|scripts|test|models|systemd)\/[\w./-]*)`/g)].map(
      ([, path]) => path ?? '',
    ),
    links: [...here.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link ?? ''),
  }));

/** What is found at a path: for a folder the name of a file in it. */
const answers: Readonly<Record<string, RegExp>> = {
  'src/core/visit/session-machine.ts': /export const transition = /,
  'src/core/visit/session-steps.ts': /export const go = /,
  'src/core/visit/delays.ts': /export const delays = /,
  'src/wire/facility-settings.ts': /answerMs:[\s\S]*\.default\(/,
  'src/catalogue/': /^texts\/ja\.json$/,
  'src/catalogue/desk/': /^\d{4}-\d{2}-\d{2}\.json$/,
  'src/catalogue/consents/': /^\d{4}-\d{2}-\d{2}\.json$/,
  'src/core/screen/draw-screen.ts': /case 'askingConsent':/,
  'src/screens/': /^style\/base\.css$/,
  'src/core/failure.ts': /'card\.removed': \w/,
  'src/catalogue/failures/': /^\d{4}-\d{2}-\d{2}\.json$/,
  'src/protocol/card/myna-card.ts': /apdu/i,
  'src/terminal/card/read-card.ts': /certificate/i,
  'src/wire/messages.ts': /export const requestSchema = /,
  'src/wire/topics.ts': /export const topicLeaves = /,
  'src/wire/v1-names.ts': /failureCode/,
  'src/agent/journal/journal-kind.ts': /migrations: \[/,
  'drivers/store/outbox-kind.ts': /migrations: \[/,
  'src/core/visit/request.ts': /export const buildRequest = /,
  'src/protocol/evidence.ts': /export const signingInput = /,
  'src/agent/intake/verify-evidence.ts': /export const verify/,
  'models/manifest.json': /"defaultThreshold"/,
  'src/face/': /^attempt\/face-attempt\.ts$/,
  'drivers/': /^card-reader\/pcsc-card-reader\.ts$/,
  'src/ports/': /^card-reader\.ts$/,
  'src/processes/terminal.ts': /createPcscCardReader\(/,
  'src/processes/cameras.ts': /rpicam: kind</,
  'drivers/camera/': /^ffmpeg-camera\.ts$/,
  'src/processes/terminal-config.ts': /export const configSchema = /,
  'src/log/log-events.ts': /'process\.started':/,
  'src/protocol/oqs/oqs-xml-face.ts': /export const faceMessage = /,
  'src/protocol/oqs/oqs-xml-schema.ts': /ReferenceNumber/,
  'src/agent/oqs-folder/': /^hand-over\.ts$/,
  'src/agent/staff-page/': /^start-staff-page\.ts$/,
  'src/agent/': /^intake\/receive-request\.ts$/,
  'src/web/local-server.ts': /host === undefined/,
  'scripts/demonstration/visits.ts': /name: 'pin'/,
  'drivers/virtual/personas/': /^hanako\.json$/,
  'src/catalogue/texts/': /^ja\.json$/,
  'src/catalogue/mended-texts/': /^\d{4}-\d{2}-\d{2}\.json$/,
  'src/catalogue/back-translations/': /^vi\.json$/,
  'src/catalogue/glossary/': /^terms\.json$/,
  'scripts/words/check-words.ts': /export const checkWords/,
  'scripts/house/lint-arrows.ts': /const mayImport/,
  'test/flow/recorded/': /\.jsonl$/,
  'systemd/': /^uketsuke-face\.service$/,
};

test('the table has a row for each thing once', () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(new Set(rows.map(({ wanted }) => wanted)).size).toBe(rows.length);
});

test.each(rows)('$wanted', ({ paths, links }) => {
  expect(paths.length + links.length).toBeGreaterThan(0);
  for (const link of links) expect(existsSync(link), link).toBe(true);
  for (const path of paths) {
    const answer = answers[path];
    expect(answer, `${path}: what is found there? Add it above`).toBeDefined();
    if (answer === undefined) continue;
    if (statSync(path).isDirectory())
      expect(
        readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
          answer.test(name.replaceAll('\\', '/')),
        ),
        path,
      ).not.toEqual([]);
    else expect(readFileSync(join(path), 'utf8'), path).toMatch(answer);
  }
});

test('nothing above is about a row that is gone', () => {
  const named = new Set(rows.flatMap(({ paths }) => paths));
  expect(Object.keys(answers).filter((path) => !named.has(path))).toEqual([]);
});
