import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import iconv from 'iconv-lite';
import { InquiryDesk } from '../../../src/agent/oqs-folder/answer-inquiries.ts';
import { writeOqsFile } from '../../../src/agent/oqs-folder/write-oqs-file.ts';
import { makeAgentBed } from '../../beds/agent-bed.ts';

/*
 * scripts/test-windows --smb [--json]: the agent on Debian serves its folder by a real smbd (Debian 13) in a network of its
 * own, and a レセコン reaches it by smbclient: names, renames, and a file that the client holds open. smbd's locks bind its
 * clients, not the agent, which writes to the folder itself; what a client reads meanwhile is what is looked at.
 */
const { values } = parseArgs({ options: { root: { type: 'string' }, json: { type: 'boolean' } } });
const root = values.root ?? '';
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Nothing but what the guide names. No oplocks: a client would read its own memory while the agent writes. */
const configuration = `[global]
  server role = standalone server
  map to guest = bad user
  guest account = root
  server min protocol = SMB2_10
  unix charset = UTF-8
  oplocks = no
  level2 oplocks = no
  kernel share modes = no
  hide files = /.*.writing/
  interfaces = lo
  bind interfaces only = yes
  disable netbios = yes
  load printers = no
  log file = /tmp/smbd.log
[oqs]
  path = /srv/oqs
  guest ok = yes
  guest only = yes
  read only = no
`;

const inquiry = (number: string): Buffer =>
  iconv.encode(
    `<?xml version="1.0" encoding="Shift_JIS"?>\r\n<XmlMsg><MessageHeader><MedicalInstitutionCode>1312345678</MedicalInstitutionCode><ArbitraryFileIdentifier>a1</ArbitraryFileIdentifier></MessageHeader><MessageBody><QualificationConfirmSearchInfo><InsurerNumber>  138057</InsurerNumber><InsuredIdentificationNumber>${number}</InsuredIdentificationNumber><LimitApplicationCertificateRelatedConsFlg>1</LimitApplicationCertificateRelatedConsFlg></QualificationConfirmSearchInfo></MessageBody></XmlMsg>\r\n`,
    'cp932',
  );

const bed = await makeAgentBed();
const desk = new InquiryDesk(bed.context);
const directory = mkdtempSync(join(tmpdir(), 'uketsuke-smb-'));
writeFileSync(join(directory, 'smb.conf'), configuration);
const enter =
  'ip link set lo up; mount --bind "$1" "$1"; mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; mkdir -p "$1/srv/oqs" "$1/srv/smb"; mount --bind "$2" "$1/srv/oqs"; mount --bind "$3" "$1/srv/smb"; exec chroot "$1" smbd --foreground --no-process-group --configfile=/srv/smb/smb.conf';
const server: ChildProcess = spawn(
  'unshare',
  [
    '--mount',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--propagation',
    'private',
    'sh',
    '-ec',
    enter,
    'sh',
    root,
    bed.oqsFolder,
    directory,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
process.once('exit', () => server.kill('SIGKILL'));

/** A process inside its namespaces, once smbd runs there. */
const inside = async (): Promise<string> => {
  for (let turn = 0; turn < 200; turn += 1) {
    try {
      const child =
        execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' })
          .trim()
          .split('\n')[0] ?? '';
      execFileSync(
        'nsenter',
        ['-t', child, '-m', '-n', 'chroot', root, 'smbclient', '-N', '//127.0.0.1/oqs', '-c', 'ls'],
        { stdio: 'ignore', timeout: 5_000 },
      );
      return child;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('smbd does not answer');
};

let tried = 0;
let wrong = 0;
const check = (what: string, isRight: boolean, seen = ''): void => {
  tried += 1;
  if (!isRight) wrong += 1;
  say(`  ${isRight ? 'as it should be' : 'WRONG'}: ${what} ${isRight ? '' : seen}`);
};

try {
  const pid = await inside();
  const client = ['-t', pid, '-m', '-n', 'chroot', root, 'env', 'LANG=C.UTF-8', 'smbclient', '-N', '//127.0.0.1/oqs'];
  const smb = (commands: string): string => {
    try {
      return execFileSync('nsenter', [...client, '-c', `lcd /srv/smb; ${commands}`], {
        encoding: 'utf8',
        timeout: 20_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      return `FAILED ${stdout} ${stderr}`;
    }
  };
  const file = (name: string, bytes: Uint8Array): void => writeFileSync(join(directory, name), bytes);
  const fetched = (name: string): string =>
    existsSync(join(directory, name)) ? iconv.decode(readFileSync(join(directory, name)), 'cp932') : '';
  const here = (folder: 'face' | 'req' | 'res'): string[] => readdirSync(join(bed.oqsFolder, folder));

  file('q1', inquiry('1000001'));
  smb(
    'put q1 "req/OQSsiquc01req_受付１ 番.tmp"; rename "req/OQSsiquc01req_受付１ 番.tmp" "req/OQSsiquc01req_受付１ 番.xml"',
  );
  check(
    'a question with a Japanese name, written aside and renamed by the client, lies there',
    here('req').join() === 'OQSsiquc01req_受付１ 番.xml',
    here('req').join(),
  );
  await desk.poll();
  const got = smb('get "res/OQSsiquc01res_受付１ 番.xml" a1; del "res/OQSsiquc01res_受付１ 番.xml"');
  const text = fetched('a1');
  check(
    'its answer is fetched and deleted by the client',
    text.includes('<QualificationValidity>1<') && here('res').length === 0,
    got,
  );
  check('the question is gone', here('req').length === 0);

  // A client that holds a file open, until it is told to let go.
  await writeOqsFile(join(bed.oqsFolder, 'res'), 'OQSsiquc01res_held.xml', Buffer.from('old'));
  file('q2', inquiry('1000001'));
  // `notify` waits for changes of a folder, for ever: the connection stays, and with it the open file.
  const words = ['-t', pid, '-m', '-n', 'chroot', root, 'stdbuf', '-oL', 'smbclient', '-N', '//127.0.0.1/oqs'];
  const holder = spawn('nsenter', [...words, '-c', 'open res/OQSsiquc01res_held.xml; notify face'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  process.once('exit', () => holder.kill('SIGKILL'));
  let heard = '';
  holder.stdout.on('data', (piece) => {
    heard += String(piece);
  });
  for (let turn = 0; turn < 100 && !/open file/i.test(heard); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  check('the client holds the former answer open', /open file/i.test(heard) && holder.exitCode === null, heard);
  smb('put q2 req/OQSsiquc01req_held.xml');
  await desk.poll();
  smb('get res/OQSsiquc01res_held.xml a2');
  check(
    'the new answer replaces it all the same, and whoever reads now has the new one',
    fetched('a2').includes('<QualificationValidity>'),
  );
  check('and has held it until now', holder.exitCode === null && holder.signalCode === null);
  holder.kill('SIGKILL');

  // A question that its writer still has open: smbd keeps other clients out, the agent reads what is there.
  file('q3', inquiry('1000001').subarray(0, 200));
  smb('put q3 req/OQSsiquc01req_half.xml');
  await desk.poll();
  check(
    'half a question is not answered',
    !here('res').includes('OQSsiquc01res_half.xml') && here('req').includes('OQSsiquc01req_half.xml'),
    here('res').join(),
  );
  file('q3', inquiry('1000001'));
  smb('put q3 req/OQSsiquc01req_half.xml');
  await desk.poll();
  check(
    'once it is whole, it is',
    here('res').includes('OQSsiquc01res_half.xml') && here('req').length === 0,
    here('req').join(),
  );

  // What is being written has a name that the client does not see as a file of the folder.
  writeFileSync(join(bed.oqsFolder, 'face', '.OQSx.xml.00.writing'), 'half');
  writeFileSync(join(bed.oqsFolder, 'face', 'OQSx.xml'), 'whole');
  const listed = smb('ls face\\*').split('\n');
  const attributesOf = (name: string): string | undefined =>
    listed.map((line) => line.trim().split(/\s+/)).find(([first]) => first === name)?.[1];
  check(
    'of what is half written and what is whole, clients see the whole one alone',
    !(attributesOf('OQSx.xml') ?? 'H').includes('H') && (attributesOf('.OQSx.xml.00.writing') ?? 'H').includes('H'),
    listed.join('\n'),
  );
  const samba = execFileSync('chroot', [root, 'smbd', '--version'], { encoding: 'utf8' }).trim();
  process.stdout.write(`${JSON.stringify({ tried, wrong, samba: samba.replace('Version ', ''), profile: 'demo' })}\n`);
  process.exitCode = tried === 9 && wrong === 0 ? 0 : 1;
} finally {
  desk.stop();
  server.kill('SIGKILL');
  await bed.close();
  rmSync(directory, { recursive: true, force: true });
}
