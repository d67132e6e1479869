// A file of オンライン資格確認, written from an object and read back: the schema is the only source of names and order.
import { readOqsXml, writeOqsXml } from 'uketsuke/protocol/oqs/oqs-xml';
import { bulkReceptionSchema } from 'uketsuke/protocol/oqs/oqs-xml-schema';

const message = {
  MessageHeader: {
    ProcessExecutionTime: '20261202100000',
    MedicalInstitutionCode: '1312345678',
    ArbitraryFileIdentifier: 'K1',
    CharacterCodeIdentifier: '0',
  },
  MessageBody: { ReceptionNumber: '1', ReceptionDateTime: '20261202100000' },
};
const text = writeOqsXml(bulkReceptionSchema, message, 'UTF-8');
console.log(text.ok && readOqsXml(bulkReceptionSchema, text.value).value.MessageBody.ReceptionNumber);
// prints: 1
