import type { z } from 'zod';
import { ok, type Result } from '../../core/result.ts';
import { readForeignOqsXml } from '../../protocol/oqs/oqs-xml.ts';
import type { RegistrationUnit } from '../../protocol/oqs/oqs-xml-inquiry.ts';
import { bulkReferenceRegistrationSchema, referenceRegistrationSchema } from '../../protocol/oqs/oqs-xml-schema.ts';
import type { EligibilityService } from '../eligibility/eligibility-service.ts';
import { numberInquiryOf } from './number-inquiry.ts';

type Unit = z.infer<typeof referenceRegistrationSchema>['MessageBody'];
type Registered = {
  readonly identifier: string;
  readonly units: readonly RegistrationUnit[];
  readonly unknown: readonly string[];
};

const register = async (unit: Unit, service: EligibilityService): Promise<RegistrationUnit> => {
  const { ReferenceNumber: referenceNumber, QualificationConfirmSearchInfo: search } = unit;
  const registered = await service.registerReference(numberInquiryOf(search), referenceNumber);
  if (registered.ok) return { referenceNumber };
  const { code } = registered.failure;
  const message = code === 'eligibility.not-found' ? '該当する資格がありません。' : '照会番号を登録できませんでした。';
  return { referenceNumber, failure: { code, message } };
};

/** 照会番号登録: the clinic's chart number of one patient, or of many. Kept by the service; later results carry it. */
export const registerReferences = async (
  text: string,
  isBulk: boolean,
  service: EligibilityService,
): Promise<Result<Registered>> => {
  const read = isBulk
    ? readForeignOqsXml(bulkReferenceRegistrationSchema, text)
    : readForeignOqsXml(referenceRegistrationSchema, text);
  if (!read.ok) return read;
  const { MessageHeader, MessageBody } = read.value.value;
  const asked = 'ReferenceNumberUnit' in MessageBody ? MessageBody.ReferenceNumberUnit : [MessageBody];
  const units: RegistrationUnit[] = [];
  for (const unit of asked) units.push(await register(unit, service));
  return ok({ identifier: MessageHeader.ArbitraryFileIdentifier ?? '', units, unknown: read.value.unknown });
};
