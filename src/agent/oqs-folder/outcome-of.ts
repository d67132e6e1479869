import { ok, type Result } from '../../core/result.ts';
import { checkSamePerson } from '../../protocol/card/visual-ap.ts';
import type { EligibilityAnswer, PatientChoices, PersonOfService } from '../eligibility/eligibility-service.ts';
import type { JournalVisit, Outcome, Personal } from '../journal/journal.ts';

/** Nothing to compare where the face was not the proof. `card.identity-mismatch`. */
export const compare = ({ birthdate, sex }: Personal, person: PersonOfService): Result<void> =>
  birthdate === undefined || sex === undefined
    ? ok(undefined)
    : checkSamePerson({ birthDate: birthdate, sex }, { birthDate: person.birthdate, sex: person.sex });

export const choicesOf = ({
  consentTimes,
  approvedDocuments,
  medicalSubsidyUse,
  preCheckIn,
}: Personal): PatientChoices => ({
  consents: consentTimes,
  approvedDocuments,
  ...(medicalSubsidyUse !== undefined && { medicalSubsidyUse }),
  ...(preCheckIn !== undefined && { preCheckIn }),
});

/** 1 有効 and 6 有効(未登録, 医療扶助) are good; with 5 複数該当 staff choose among the qualifications in the file. */
const eligible: ReadonlySet<number> = new Set([1, 5, 6]);

export const outcomeOf = (
  visit: Pick<JournalVisit, 'kind'>,
  answer: Result<EligibilityAnswer | null>,
  at: number,
): Outcome => {
  if (!answer.ok) return { outcome: 'failed', code: answer.failure.code, at };
  if (answer.value === null) return { outcome: visit.kind === 'test' ? 'tested' : 'registered', at };
  const { qualificationValidity } = answer.value;
  return { outcome: eligible.has(qualificationValidity) ? 'eligible' : 'not-eligible', qualificationValidity, at };
};

/** The service has told of this person: the レセコン is to have it. */
export const hasFile = (visit: Pick<JournalVisit, 'outcome'> | undefined): boolean =>
  visit?.outcome === 'eligible' || visit?.outcome === 'not-eligible';
