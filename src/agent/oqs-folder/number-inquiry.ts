import type { SearchInfo } from '../../protocol/oqs/oqs-xml-inquiry.ts';
import type { NumberInquiry } from '../eligibility/eligibility-service.ts';

/** The numbers of a request as the service is asked. */
export const numberInquiryOf = (search: SearchInfo): NumberInquiry => ({
  insurerNumber: search.InsurerNumber,
  insuredIdentificationNumber: search.InsuredIdentificationNumber,
  ...(search.InsuredCardSymbol !== undefined && { insuredCardSymbol: search.InsuredCardSymbol }),
  ...(search.InsuredBranchNumber !== undefined && { insuredBranchNumber: search.InsuredBranchNumber }),
  ...(search.Birthdate !== undefined && { birthdate: search.Birthdate }),
});
