import { type FaultName, faultOf, filledIn, partyOfFault } from '../../catalogue/faults.ts';
import type { Teller } from '../../core/party.ts';
import { causesFirst } from './causes.ts';
import { doctorChecks } from './doctor-checks.ts';
import type { Diagnosis, DoctorCheck, Examination, Finding } from './examination.ts';

/** A check that itself breaks must not hide the others, nor look well. */
const checkLimitMs = 3_500;

/** Reads every file of the packages: a machine that is busy is no sign of a fault. */
const mayTakeLonger: ReadonlySet<string> = new Set(['program']);

const within = async <T>(limitMs: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

/** At whose end it was found: by the units that the remedy begins anew. */
const tellerOf = ({ unit = '', units = unit }: Readonly<Record<string, string>> = {}): Teller =>
  /^uketsuke-(agent|broker)$/.test(units) ? 'agent' : 'terminal';

export const diagnosisOf = (check: string, finding: Finding): Diagnosis => {
  if (finding.state !== 'found') return { check, state: finding.state, detail: finding.detail };
  const { weight, remedy, ...fault } = faultOf(finding.fault);
  return {
    check,
    state: weight,
    fault: finding.fault,
    detail: finding.detail,
    ...fault,
    party: partyOfFault(finding.fault, tellerOf(finding.where)),
    remedy: remedy.join('; '),
    steps: remedy,
    ...(finding.where && { where: finding.where }),
  };
};

/** Silence beside a fault is most likely its work, or that of a machine without time: told, and no second fault. */
const joinUnfinished = (diagnoses: readonly Diagnosis[]): readonly Diagnosis[] => {
  const isUnfinished = (each: Diagnosis): boolean => 'fault' in each && each.fault === 'check.unfinished';
  const late = diagnoses.filter(isUnfinished).map(({ check }) => check);
  const hasFault = diagnoses.some((each) => each.state === 'fault' && !isUnfinished(each));
  return diagnoses.map((each) => {
    if (!isUnfinished(each)) return each;
    if (hasFault || each.check !== late[0]) return { check: each.check, state: 'skipped', detail: 'no answer in time' };
    return late.length === 1 ? each : { ...each, detail: `${each.detail}: ${late.join(', ')}` };
  });
};

/** Runs all checks, or those that are named, at once; ends within `limitMs`. The cause comes first. */
export const examine = async (
  examination: Examination,
  limitMs: number = checkLimitMs,
  checks: Readonly<Record<string, DoctorCheck>> = doctorChecks,
): Promise<readonly Diagnosis[]> => {
  const diagnoses = await Promise.all(
    Object.entries(checks).map(async ([check, run]): Promise<Diagnosis> => {
      const finding = await within(limitMs, run(examination)).catch((error: unknown): Finding => {
        const detail = error instanceof Error ? error.message : String(error);
        return mayTakeLonger.has(check)
          ? { state: 'skipped', detail: 'not compared in time' }
          : { state: 'found', fault: 'check.unfinished', detail };
      });
      return diagnosisOf(check, finding);
    }),
  );
  return causesFirst(joinUnfinished(diagnoses));
};

/** Each fault once: several checks may meet the same one. */
export const faultsOf = (diagnoses: readonly Diagnosis[]): readonly FaultName[] => [
  ...new Set(diagnoses.flatMap((each) => ('fault' in each ? [each.fault] : []))),
];

/** 0 well or warnings only, 1 a fault. */
export const exitCodeOf = (diagnoses: readonly Diagnosis[]): 0 | 1 =>
  diagnoses.some(({ state }) => state === 'fault') ? 1 : 0;

const marks = { ok: 'OK  ', skipped: '–   ', warning: 'WARN', fault: 'FAIL' } as const;

/** For a person at a terminal. `words`: the catalogue's texts in the language of that person. */
export const printDiagnoses = (
  diagnoses: readonly Diagnosis[],
  words: (english: string) => string = (english) => english,
): string =>
  diagnoses
    .map((each) => {
      const head = `${marks[each.state]}  ${each.check.padEnd(13)}`;
      if (!('fault' in each)) return `${head}${words(each.detail)}\n`;
      const detail = each.detail === '' ? '' : ` (${words(each.detail)})`;
      return [
        `${head}${each.fault}${detail}`,
        `      ${words('cause:   ')}${words(each.cause)}`,
        `      ${words('remedy:  ')}${filledIn(words(each.remedy), each.where)}`,
        `      ${words('who:     ')}${words(each.actor)}`,
        `      ${words('whose:   ')}${words(each.party ?? 'not known yet')}`,
        '',
      ].join('\n');
    })
    .join('');

/** For a QR code that staff photograph and send: terminal, version, time, faults. Nothing of a patient. */
export const verdictOf = (
  diagnoses: readonly Diagnosis[],
  { facility, device, version, wallMs }: { facility: string; device: string; version: string; wallMs: number },
): string =>
  ['uketsuke', version, facility, device, new Date(wallMs).toISOString().slice(0, 19), ...faultsOf(diagnoses)].join(
    ' ',
  );
