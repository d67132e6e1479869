import * as real from '../../../../src/agent/oqs-folder/oqs-encoding.ts';
import { ok } from '../../../../src/core/result.ts';
import type { EncodingSetting } from '../../../../src/protocol/oqs/oqs-xml.ts';
import type { QualificationMessage } from '../../../../src/protocol/oqs/oqs-xml-schema.ts';

/*
 * Stands in for the encoding of files for the レセコン, which costs as much as a fifth of a visit: one file in sixteen is the
 * real one, the others say whose they are and nothing else.
 */
export const encodeOqs = (
  schema: Parameters<typeof real.encodeOqs>[0],
  message: QualificationMessage,
  setting: EncodingSetting,
): ReturnType<typeof real.encodeOqs> => {
  const { ArbitraryFileIdentifier: file = '' } = message.MessageHeader;
  if (file.endsWith('0')) return real.encodeOqs(schema, message as never, setting);
  const birthdate = message.MessageBody.ResultList?.ResultOfQualificationConfirmation[0]?.Birthdate ?? '';
  const text = `<XmlMsg><Birthdate>${birthdate}</Birthdate></XmlMsg>`;
  return ok({ bytes: new Uint8Array(Buffer.from(text)), encoding: 'Shift_JIS', notes: [] });
};
