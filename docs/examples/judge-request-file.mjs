// A request file of a レセコン, judged before it ever meets a shared folder.
import { judgeRequest } from 'uketsuke/kit/oqs/judge-request';
import { oqsRules } from 'uketsuke/kit/oqs/oqs-rules';

const file = `<?xml version="1.0" encoding="UTF-8"?><XmlMsg><MessageHeader>
<MedicalInstitutionCode>1312345678</MedicalInstitutionCode><ArbitraryFileIdentifier>K1</ArbitraryFileIdentifier>
<CharacterCodeIdentifier>0</CharacterCodeIdentifier></MessageHeader><MessageBody><QualificationConfirmSearchInfo>
<InsurerNumber>138057</InsurerNumber><InsuredIdentificationNumber>1000001</InsuredIdentificationNumber>
</QualificationConfirmSearchInfo></MessageBody></XmlMsg>`;
const { problems } = judgeRequest('OQSsiquc01req_1.xml', new TextEncoder().encode(file), '1312345678');
for (const { rule } of problems) console.log(`${oqsRules[rule].wrong.ja}。${oqsRules[rule].right.ja}`);
// prints: InsurerNumber が8桁（左を空白で埋める）ではありません。6桁の番号は先頭に半角空白2つを付けて8文字にする。ゼロでは埋めない
