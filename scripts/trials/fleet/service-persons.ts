import { readFileSync } from 'node:fs';
import { parseServiceRecords } from '../../../src/agent/eligibility/simulated-eligibility-service.ts';

/** Whom the simulated service answers for in order, by their card's serial number; `number`: stands in their file. */
export const servicePersons = (): readonly { readonly serial: string; readonly number: string }[] => {
  const path = new URL('../../../src/agent/eligibility/simulated-eligibility-service.records.json', import.meta.url);
  return parseServiceRecords(readFileSync(path, 'utf8'), Date.now()).flatMap((record) => {
    const serial = record.certificateSerials[0];
    const number = record.qualifications[0]?.InsuredIdentificationNumber;
    const isUsual =
      record.registered &&
      record.certificateStatus === 'good' &&
      record.behaviour === 'normal' &&
      !record.processingResult;
    return serial !== undefined && number !== undefined && isUsual ? [{ serial, number }] : [];
  });
};
