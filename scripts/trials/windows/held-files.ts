import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import iconv from 'iconv-lite';
import type { WineRoom } from '../../beds/wine-room.ts';
import { npmForWindows } from '../../package/npm-for-windows.ts';
import { eventually, oqs, program, type WindowsClinic } from './windows-clinic.ts';

/* A レセコン that asks by files, with names and line ends as it has them, and that keeps files open. */

const tools = 'C:\\uketsuke test';

/** Asked by number; CRLF, Shift_JIS. */
const inquiry = (number: string): Buffer =>
  iconv.encode(
    [
      '<?xml version="1.0" encoding="Shift_JIS"?>',
      '<XmlMsg>',
      '<MessageHeader><MedicalInstitutionCode>1310000001</MedicalInstitutionCode>',
      '<ArbitraryFileIdentifier>a1</ArbitraryFileIdentifier></MessageHeader>',
      '<MessageBody><QualificationConfirmSearchInfo><InsurerNumber>  138057</InsurerNumber>',
      `<InsuredIdentificationNumber>${number}</InsuredIdentificationNumber>`,
      '<LimitApplicationCertificateRelatedConsFlg>1</LimitApplicationCertificateRelatedConsFlg>',
      '</QualificationConfirmSearchInfo></MessageBody>',
      '</XmlMsg>',
      '',
    ].join('\r\n'),
    'cp932',
  );

type Held = { readonly release: () => Promise<void> };

export class ReceiptComputer {
  readonly #room: WineRoom;
  readonly #clinic: WindowsClinic;
  #turns = 0;

  constructor(room: WineRoom, clinic: WindowsClinic) {
    this.#room = room;
    this.#clinic = clinic;
    const at = room.path(tools);
    rmSync(at, { recursive: true, force: true });
    mkdirSync(join(at, 'node_modules/@koromix'), { recursive: true });
    cpSync(npmForWindows('koffi@3.3.4'), join(at, 'node_modules/koffi'), { recursive: true });
    cpSync(npmForWindows('@koromix/koffi-win32-x64@3.3.4'), join(at, 'node_modules/@koromix/koffi-win32-x64'), {
      recursive: true,
    });
    cpSync(fileURLToPath(new URL('another-program.cjs', import.meta.url)), join(at, 'another-program.cjs'));
  }

  async hold(folder: 'req' | 'res', name: string, share: 'read' | 'nobody'): Promise<Held> {
    this.#turns += 1;
    const release = `${tools}\\release-${this.#turns}`;
    const holder = this.#room.start([
      ...[`${program}\\node.exe`, `${tools}\\another-program.cjs`, `${oqs}\\${folder}\\${name}`, release, share],
    ]);
    await eventually(`${name} to be held`, () => {
      if (holder.hasEnded()) throw new Error(holder.said());
      return holder.said().includes('held') ? true : undefined;
    });
    return {
      release: async () => {
        writeFileSync(this.#room.path(release), '');
        await eventually(`${name} to be let go`, () => (holder.hasEnded() ? true : undefined));
      },
    };
  }

  #at(folder: 'req' | 'res', name: string): string {
    return join(this.#room.path(oqs), folder, name);
  }

  ask(name: string, number: string): void {
    writeFileSync(this.#at('req', name), inquiry(number));
  }

  /**
   * A question that its writer has not let go of when it is seen first. It is laid down under a name that nobody reads and
   * renamed by Debian, which knows nothing of Wine's locks: they stay with the file.
   */
  async askAndHold(name: string, number: string, share: 'read' | 'nobody'): Promise<Held> {
    this.ask(`~${name}`, number);
    const held = await this.hold('req', `~${name}`, share);
    renameSync(this.#at('req', `~${name}`), this.#at('req', name));
    return held;
  }

  has(folder: 'req' | 'res', name: string): boolean {
    return existsSync(this.#at(folder, name));
  }

  take(name: string): void {
    rmSync(this.#at('res', name));
  }

  text(name: string): string {
    return iconv.decode(this.#clinic.read('res', name), 'cp932');
  }

  async told(code: string, isTold: boolean): Promise<void> {
    await eventually(`${code} ${isTold ? '' : 'no longer '}on the staff page`, async () =>
      (await this.#clinic.agent.page('/part/banner')).includes(code) === isTold ? true : undefined,
    );
  }
}

const answered = (computer: ReceiptComputer, res: string): Promise<true> =>
  eventually(res, () => (computer.has('res', res) ? true : undefined));

/** Nobody may open the question: it waits, staff are told, visits go on, and it is answered once it is let go. */
const unreadableQuestion = async (computer: ReceiptComputer, visit: () => Promise<void>): Promise<void> => {
  const [req, res] = ['OQSsiquc01req_locked.xml', 'OQSsiquc01res_locked.xml'];
  const held = await computer.askAndHold(req, '1000001', 'nobody');
  await computer.told('files.in-use', true);
  await visit();
  if (computer.has('res', res)) throw new Error(`${res} is there, though nobody could read the question`);
  await held.release();
  await answered(computer, res);
  await computer.told('files.in-use', false);
};

/** The question may be read and not be taken away: it is answered once, and not again under the eyes of the レセコン. */
const lastingQuestion = async (computer: ReceiptComputer): Promise<void> => {
  const [req, res] = ['OQSsiquc01req_kept.xml', 'OQSsiquc01res_kept.xml'];
  const held = await computer.askAndHold(req, '1000001', 'read');
  await answered(computer, res);
  computer.take(res);
  await computer.told('files.in-use', true);
  if (computer.has('res', res)) throw new Error(`${res} was answered a second time`);
  await held.release();
  await eventually(`${req} to go`, () => (computer.has('req', req) ? undefined : true));
  if (computer.has('res', res)) throw new Error(`${res} was answered a second time`);
};

/** The former answer of that name is still open: the new one waits, another question is answered meanwhile. */
const openAnswer = async (computer: ReceiptComputer): Promise<void> => {
  const [req, res] = ['OQSsiquc01req_again.xml', 'OQSsiquc01res_again.xml'];
  computer.ask(req, '9999999');
  await answered(computer, res);
  const held = await computer.hold('res', res, 'read');
  computer.ask(req, '1000001');
  await computer.told('files.in-use', true);
  computer.ask('OQSsiquc01req_受付１ 番.xml', '1000001');
  await answered(computer, 'OQSsiquc01res_受付１ 番.xml');
  await held.release();
  await eventually('the new answer', () =>
    computer.text(res).includes('<QualificationValidity>1<') ? true : undefined,
  );
  await eventually(`${req} to go`, () => (computer.has('req', req) ? undefined : true));
};

/** Each of the ways in which another program is in the way. Throws what went wrong. */
export const holdFilesOpen = async (computer: ReceiptComputer, visit: () => Promise<void>): Promise<void> => {
  await unreadableQuestion(computer, visit);
  await lastingQuestion(computer);
  await openAnswer(computer);
};
