import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placesOf, projectRoot, releaseTree } from '../beds/release-tree.ts';
import { releasedTextsOf } from '../beds/stored-releases.ts';

/**
 * scripts/node scripts/generate/stored-release.ts RELEASE
 *
 * Lets the code of a release write a journal and an outbox, and keeps both as SQL in test/storage/releases/RELEASE: what a
 * clinic's disk holds when the next release comes. Also writes down, in src/catalogue/released, what its screens say when
 * they ask for consents. Run once a release. People and numbers are made up.
 */
const [release = ''] = process.argv.slice(2);
const tree = releaseTree(release);
const places = placesOf(tree);
const work = mkdtempSync(join(tmpdir(), 'uketsuke-stored-'));
const target = join(projectRoot, 'test/storage/releases', release);
mkdirSync(target, { recursive: true });

const journalWriter = `
  import { Journal } from ${JSON.stringify(places.journal)};
  const journal = new Journal(process.argv[2]);
  const at = Date.UTC(2026, 10, 20, 3);
  journal.addChallenges('front-1', ['c1', 'c2', 'c3', 'c4'].map((nonce) => ({ nonce, issuedAt: at, expiresAt: at + 600000 })), 48);
  const request = (number, code) => ({
    requestId: 'request-' + number, device: 'front-1', lane: 1, session: 'session-' + number, kind: 'eligibility',
    documentHash: 'hash-' + number, method: 'pin', consents: { TKK: true, YZK: false }, challenge: 'c' + number, code,
    issuedAt: at, receivedAt: at + number, expiresAt: at + 600000,
    personal: { authCertificate: 'AAAA', certificateSerial: '5E57000' + number, limitApplication: true, approvedDocuments: [],
      consentTimes: [{ code: 'TKK', given: true, at }] },
    deletePersonalAt: at + 86400000,
  });
  for (const number of [1, 2]) journal.record(request(number, undefined));
  journal.record(request(3, 'card.certificate-revoked'));
  journal.finish('request-1', { result: 'eligible', qualificationValidity: 1, at: at + 300 });
  journal.rememberToday('request-1', { referenceNumber: '100001', notices: ['several-qualifications'] }, at);
  journal.handOver('request-1', at + 400, 'OQSsiquc01res_face_1.xml');
  journal.receiveBulk({ receptionNumber: '900001', source: 'OQSmuquc01req_1.xml', questions: '[]' }, at + 86400000);
  journal.addApproval({ session: 'session-2', device: 'front-1', approver: 'nurse-1', approvedAt: at, expiresAt: at + 600000 });
  journal.reject('front-1', 'message.malformed', 2, at);
  journal.setOfficialUsage({ month: '202610', cardUses: 600, confirmations: 900 }, at);
  journal.setDisasterArea(at);
  for (const hash of ['one', 'two', 'three']) journal.settingsVersion('clinic-0001', hash);
  journal.close();`;

const outboxWriter = `
  import { createSqliteStore } from ${JSON.stringify(places.store)};
  const store = createSqliteStore(process.argv[2]);
  const at = Date.UTC(2026, 10, 20, 3);
  const row = (number) => ({ requestId: 'request-' + number, session: 'session-' + number, documentHash: 'hash-' + number,
    sealed: new Uint8Array([number, 2, 3]), createdAtMs: at + number, expiresAtMs: at + 600000 });
  for (const number of [1, 2, 3]) await store.addOutboxRow(row(number));
  await store.removeOutboxRow('request-1', { atMs: at + 50, event: 'receipt-accepted', subject: 'request-1' });
  await store.raiseSettings(3, new Uint8Array([7, 7]), at + 60);
  await store.rememberNonce('nonce-1', at + 15000, at);
  await store.close();`;

for (const [name, code] of [
  ['journal', journalWriter],
  ['outbox', outboxWriter],
] as const) {
  const path = join(work, `${name}.sqlite`);
  const script = join(work, `${name}.mjs`);
  writeFileSync(script, code);
  execFileSync(process.execPath, [script, path], { cwd: tree, stdio: 'inherit' });
  // `.dump` says neither version nor kind of the file.
  const dump = (command: string): string => execFileSync('sqlite3', [path, command], { encoding: 'utf8' });
  const heading = ['user_version', 'application_id']
    .map((pragma) => `PRAGMA ${pragma} = ${dump(`PRAGMA ${pragma}`).trim()};\n`)
    .join('');
  writeFileSync(join(target, `${name}.sql`), heading + dump('.dump'));
}
rmSync(work, { recursive: true, force: true });

const textsScript = `
  import { consentKeys } from ${JSON.stringify(join(tree, 'src/agent/intake/consent-texts.ts'))};
  import { catalogueAt } from ${JSON.stringify(join(tree, 'src/catalogue/load-catalogue.ts'))};
  process.stdout.write(JSON.stringify(consentKeys(catalogueAt(Date.now()))));`;
const said = execFileSync(process.execPath, ['--input-type=module', '--eval', textsScript], { cwd: tree });
const released = releasedTextsOf(release, JSON.parse(said.toString('utf8')) as string[]);
writeFileSync(join(projectRoot, 'src/catalogue/released', `${release}.json`), `${JSON.stringify(released, null, 2)}\n`);
process.stdout.write(`${target}\n`);
