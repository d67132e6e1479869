import iconv from 'iconv-lite';

/* Request files as programs of many makers write them, each with its right answer: what `npm run oqs-corpus` plays. */

type Expected =
  /** What the answer must contain */
  | { readonly answer: readonly string[] }
  /** Nothing: it is told on the staff page and stays where it is */
  | { readonly told: true };
export type CorpusFile = { readonly name: string; readonly bytes: Uint8Array; readonly expected: Expected };

const insured = { InsurerNumber: '  138057', InsuredCardSymbol: '架空・1', InsuredIdentificationNumber: '1000001' };
const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;
const elements = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => element(name, value))
    .join('');
const searchOf = (values: Readonly<Record<string, string>>): string =>
  element('QualificationConfirmSearchInfo', elements(values));
const header = element(
  'MessageHeader',
  elements({ MedicalInstitutionCode: '1312345678', ArbitraryFileIdentifier: 'a1' }),
);
const bodyOf = (inner: string, before = header): string =>
  element('XmlMsg', `${before}${element('MessageBody', inner)}`);
const declared = (encoding: string, rest: string): string => `<?xml version="1.0" encoding="${encoding}"?>\r\n${rest}`;
const sjis = (text: string): Uint8Array => iconv.encode(text, 'cp932');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const one = bodyOf(searchOf(insured));

const found: Expected = { answer: ['<QualificationValidity>1<', '<SegmentOfResult>1<', '髙﨑'] };
const nobody: Expected = { answer: ['<QualificationValidity>4<'] };
const unreadable: Expected = { answer: ['files.request-unreadable', '<SegmentOfResult>3<'] };
const unknownKind: Expected = { answer: ['files.request-unknown', '<SegmentOfResult>3<'] };

export const named = (label: string): string => `OQSsiquc01req_${label}.xml`;
const file = (label: string, bytes: Uint8Array, expected: Expected): CorpusFile => ({
  name: named(label),
  bytes,
  expected,
});

/** As most of them are written, with other values. */
const asking = (label: string, values: Readonly<Record<string, string>>, expected: Expected): CorpusFile =>
  file(label, sjis(declared('Shift_JIS', bodyOf(searchOf({ ...insured, ...values })))), expected);

/** Every name that is in use for the two encodings. */
const byDeclaration: readonly CorpusFile[] = [
  ...[
    'Shift_JIS',
    'shift_jis',
    'SHIFT-JIS',
    'Shift-JIS',
    'x-sjis',
    'sjis',
    'SJIS',
    'windows-31j',
    'Windows-31J',
    'MS932',
    'cp932',
    'csShiftJIS',
    'csWindows31J',
    'MS_Kanji',
    'x-ms-cp932',
    'windows-932',
    'SJIS-win',
    'x-MS932',
    ' Shift_JIS ',
  ].map((label) => file(`declared-${label}`, sjis(declared(label, one)), found)),
  ...['UTF-8', 'utf-8', 'utf8', 'UTF8', 'UTF_8', 'UTF-8N'].map((label) =>
    file(`declared-${label}-u`, utf8(declared(label, one)), found),
  ),
  file('bom', utf8(`\ufeff${declared('UTF-8', one)}`), found),
  file('bom-undeclared', utf8(`\ufeff${one}`), found),
  file('undeclared-utf8', utf8(one), found),
  file('undeclared-sjis', sjis(one), found),
  file('no-encoding-in-declaration', sjis(`<?xml version="1.0"?>${one}`), found),
  file('single-quotes', sjis(`<?xml version='1.0' encoding='Shift_JIS' standalone='no'?>${one}`), found),
  file('sjis-declared-utf8', sjis(declared('UTF-8', one)), unreadable),
  file('utf8-declared-sjis', utf8(declared('Shift_JIS', one.replace('架空・1', '架空・髙﨑①'))), unreadable),
  file('euc-jp', iconv.encode(declared('EUC-JP', one), 'eucjp'), unreadable),
  file('utf-16-le', new Uint8Array(iconv.encode(declared('UTF-16', one), 'utf-16')), found),
  file('utf-16-be', new Uint8Array(iconv.encode(`\ufeff${declared('UTF-16', one)}`, 'utf-16be')), found),
  file('utf-16-declared-sjis', new Uint8Array(iconv.encode(declared('Shift_JIS', one), 'utf-16')), found),
  file('utf-16-cut', new Uint8Array(iconv.encode(declared('UTF-16', one), 'utf-16')).subarray(0, 301), unreadable),
  file('utf-16-lone-surrogate', Uint8Array.of(0xff, 0xfe, 0x3c, 0x00, 0x00, 0xd8, 0x3e, 0x00), unreadable),
  file('shift-jis-2004', sjis(declared('Shift_JIS-2004', one)), unreadable),
  file('iso-2022-jp', utf8(declared('ISO-2022-JP', one)), unreadable),
];

const byLayout: readonly CorpusFile[] = [
  file('lf', sjis(declared('Shift_JIS', one.replaceAll('><', '>\n<'))), found),
  file('crlf-tabs', sjis(declared('Shift_JIS', one.replaceAll('><', '>\r\n\t<'))), found),
  file(
    'other-order',
    sjis(
      declared(
        'Shift_JIS',
        bodyOf(
          searchOf({ InsuredIdentificationNumber: '1000001', InsurerNumber: '138057', InsuredCardSymbol: '架空・1' }),
        ),
      ),
    ),
    found,
  ),
  file(
    'body-before-header',
    sjis(declared('Shift_JIS', element('XmlMsg', `${element('MessageBody', searchOf(insured))}${header}`))),
    found,
  ),
  file(
    'unknown-elements',
    sjis(declared('Shift_JIS', bodyOf(`${element('VendorNote', '1')}${searchOf({ ...insured, VendorCode: 'x' })}`))),
    found,
  ),
  file(
    'attributes',
    sjis(declared('Shift_JIS', one.replace('<XmlMsg>', '<XmlMsg xmlns:xsi="urn:x" version="1.0">'))),
    found,
  ),
  file('comment', sjis(declared('Shift_JIS', `<!-- 照会 -->${one}`)), found),
  asking('cdata', { InsuredCardSymbol: '<![CDATA[架空・1]]>' }, found),
  asking('references', { InsuredCardSymbol: '&#x67B6;空・1' }, found),
  file(
    'empty-elements',
    sjis(declared('Shift_JIS', bodyOf(`${searchOf({ ...insured, InsuredBranchNumber: '', Birthdate: '' })}`))),
    found,
  ),
  file(
    'self-closing',
    sjis(
      declared(
        'Shift_JIS',
        bodyOf(element('QualificationConfirmSearchInfo', `${elements(insured)}<InsuredBranchNumber/><Birthdate/>`)),
      ),
    ),
    found,
  ),
  asking('blanks-around', { InsuredIdentificationNumber: '\r\n 1000001 \r\n' }, found),
  file(
    'no-header',
    sjis(declared('Shift_JIS', element('XmlMsg', element('MessageBody', searchOf(insured))))),
    unreadable,
  ),
  file('empty-header', sjis(declared('Shift_JIS', bodyOf(searchOf(insured), '<MessageHeader/>'))), found),
  asking('nobody', { InsuredIdentificationNumber: '9999999' }, nobody),
  asking('machine-dependent', { InsuredCardSymbol: '髙﨑①ⅰ' }, nobody),
  asking(
    'machine-dependent-arbitrary',
    { ArbitraryIdentifier: '髙﨑①ⅰ㈱' },
    { answer: ['<QualificationValidity>1<', '髙﨑①ⅰ㈱'] },
  ),
  file('without-number', sjis(declared('Shift_JIS', bodyOf(searchOf({ InsurerNumber: '138057' })))), unreadable),
  file('half-written', sjis(declared('Shift_JIS', one.slice(0, one.length - 30))), unreadable),
  file('empty', new Uint8Array(), unreadable),
  file('no-xml', sjis('照会'), unreadable),
  file('other-root', sjis(declared('Shift_JIS', element('Root', header))), unreadable),
  file(
    'forbidden-character',
    utf8(declared('UTF-8', bodyOf(searchOf({ ...insured, ArbitraryIdentifier: 'a\uffffb' })))),
    unreadable,
  ),
  file(
    'forbidden-reference',
    utf8(declared('UTF-8', bodyOf(searchOf({ ...insured, ArbitraryIdentifier: 'a&#xFFFE;b' })))),
    unreadable,
  ),
  file('own-entity', utf8(declared('UTF-8', `<!DOCTYPE x [<!ENTITY a "b">]>${one}`)), unreadable),
];

/** What programs were seen or must be feared to do, beyond layout and encoding: full width, padding, a header of their own. */
const byHabit: readonly CorpusFile[] = [
  asking('full-width-number', { InsuredIdentificationNumber: '１０００００１' }, found),
  file(
    'full-width-all',
    sjis(
      declared(
        'Shift_JIS',
        bodyOf(
          searchOf({
            InsurerNumber: '１３８０５７',
            InsuredCardSymbol: '架空・１',
            InsuredIdentificationNumber: '１０００００１',
          }),
        ),
      ),
    ),
    found,
  ),
  asking('zero-padded', { InsurerNumber: '00138057' }, found),
  asking('blank-after-symbol', { InsuredCardSymbol: '架空・1　' }, found),
  asking('branch-full-width', { InsuredBranchNumber: '０１' }, found),
  ...['1000\u200b001', '\ufeff1000001', '\u20601000001\u200e', '1000001\u00ad'].map((number, index) =>
    file(
      `unseen-signs-${index}`,
      utf8(declared('UTF-8', bodyOf(searchOf({ ...insured, InsuredIdentificationNumber: number })))),
      found,
    ),
  ),
  file(
    'unseen-in-their-own-name',
    utf8(declared('UTF-8', bodyOf(searchOf({ ...insured, ArbitraryIdentifier: 'a\u200bb' })))),
    { answer: ['<QualificationValidity>1<', 'a\u200bb'] },
  ),
  file(
    'decomposed-kana',
    utf8(declared('UTF-8', bodyOf(searchOf({ ...insured, ArbitraryIdentifier: 'カ\u3099ハ\u309a' })))),
    { answer: ['<QualificationValidity>1<', 'ガパ'] },
  ),
  asking('right-birthdate', { Birthdate: '19800217' }, found),
  asking('other-birthdate', { Birthdate: '19800218' }, nobody),
  asking('birthdate-with-strokes', { Birthdate: '1980/02/17' }, unreadable),
  asking('empty-number', { InsuredIdentificationNumber: '' }, unreadable),
  file(
    'number-twice',
    sjis(
      declared(
        'Shift_JIS',
        bodyOf(searchOf(insured).replace('<InsurerNumber>', '<InsurerNumber>1</InsurerNumber><InsurerNumber>')),
      ),
    ),
    unreadable,
  ),
  file('two-searches', sjis(declared('Shift_JIS', bodyOf(searchOf(insured) + searchOf(insured)))), unreadable),
  file(
    'short-institution-code',
    sjis(
      declared(
        'Shift_JIS',
        bodyOf(searchOf(insured), element('MessageHeader', element('MedicalInstitutionCode', '2345678'))),
      ),
    ),
    found,
  ),
  file(
    'dates-of-iso',
    sjis(
      declared(
        'Shift_JIS',
        bodyOf(
          searchOf(insured),
          element(
            'MessageHeader',
            elements({
              ProcessExecutionTime: '2026-11-29T10:00:00+09:00',
              QualificationConfirmationDate: '2026/11/29',
            }),
          ),
        ),
      ),
    ),
    found,
  ),
  file('version-1.1', sjis(`<?xml version="1.1" encoding="Shift_JIS" ?>${one}`), found),
  file('blank-before', sjis(`\r\n  ${declared('Shift_JIS', one)}`), found),
  file('default-namespace', sjis(declared('Shift_JIS', one.replace('<XmlMsg>', '<XmlMsg xmlns="urn:oqs">'))), found),
  file('instruction', sjis(declared('Shift_JIS', `<?vendor a="b"?>${one}<!-- end -->`)), found),
  file('doctype', sjis(declared('Shift_JIS', `<!DOCTYPE XmlMsg SYSTEM "x.dtd">${one}`)), unreadable),
  file('nul-after', sjis(`${declared('Shift_JIS', one)}\u0000`), unreadable),
  file('euc-undeclared', iconv.encode(one, 'eucjp'), unreadable),
  file('euc-declared-sjis', iconv.encode(declared('Shift_JIS', one), 'eucjp'), unreadable),
  file(
    'euc-declared-sjis-kana',
    iconv.encode(declared('Shift_JIS', one.replace('架空・1', 'きよたけ')), 'eucjp'),
    unreadable,
  ),
  file(
    'euc-declared-sjis-katakana',
    iconv.encode(declared('Shift_JIS', one.replace('架空・1', 'キヨタケ')), 'eucjp'),
    unreadable,
  ),
  ...['ｱｲ', 'ｷﾖﾔｹ', 'ｶｸｳ 1 ｻﾝﾌﾟ'].flatMap((kana, index) => [
    file(
      `half-width-kana-${index}`,
      sjis(declared('Shift_JIS', bodyOf(searchOf({ ...insured, ArbitraryIdentifier: kana, InsuredCardSymbol: '' })))),
      found,
    ),
    file(`half-width-symbol-${index}`, sjis(declared('Shift_JIS', one.replace('架空・1', kana))), nobody),
    // In pairs they are kanji of EUC, too, and nobody says which of the two it is.
    file(
      `half-width-undeclared-${index}`,
      sjis(bodyOf(searchOf({ ...insured, ArbitraryIdentifier: kana, InsuredCardSymbol: '' }))),
      kana.includes(' ') ? found : unreadable,
    ),
  ]),
  file('utf-16-without-mark', new Uint8Array(Buffer.from(declared('UTF-16', one), 'utf16le')), unreadable),
  file('mark-of-utf8-before-sjis', Uint8Array.of(0xef, 0xbb, 0xbf, ...sjis(declared('Shift_JIS', one))), unreadable),
  file(
    'too-long',
    sjis(declared('Shift_JIS', bodyOf(`${searchOf(insured)}<!--${'x'.repeat(4_100_000)}-->`))),
    unreadable,
  ),
  { name: `OQSsiquc01req_${'長'.repeat(75)}.xml`, bytes: sjis(declared('Shift_JIS', one)), expected: found },
  { name: `OQSsiquc01req_${'壊'.repeat(75)}.xml`, bytes: sjis('<x'), expected: unreadable },
  { name: 'OQSsiquc01req_.xml', bytes: sjis(declared('Shift_JIS', one)), expected: found },
  { name: 'OQSSIQUC01REQ_all capitals.XML', bytes: sjis(declared('Shift_JIS', one)), expected: found },
  { name: 'OQSsihvd01req_訪問 1.xml', bytes: sjis(declared('Shift_JIS', one)), expected: unknownKind },
  { name: 'OQSsiquc01req_1.xml.tmp', bytes: sjis(declared('Shift_JIS', one)), expected: { told: true } },
  { name: '~OQSsiquc01req_1.xml', bytes: sjis(declared('Shift_JIS', one)), expected: { told: true } },
];

export const asked = sjis(declared('Shift_JIS', one));
const registration = (number: string, search = insured): string =>
  `${searchOf(search)}${element('ReferenceNumber', number)}`;

const byName: readonly CorpusFile[] = [
  { name: 'OQSsiquc01req_照会 1.xml', bytes: asked, expected: found },
  { name: 'OQSsiquc01req_カルテ　番号.xml', bytes: asked, expected: found },
  { name: 'OQSsiquc01REQ_CAPITALS.XML', bytes: asked, expected: found },
  { name: 'OQSsiquc01req.xml', bytes: asked, expected: found },
  { name: 'OQSsiquc01req_a(1)+b,c.xml', bytes: asked, expected: found },
  { name: 'OQSsiquc01req_か\u3099く.xml', bytes: asked, expected: found },
  { name: 'OQSsiquc01req_1 - コピー (2).xml', bytes: asked, expected: found },
  { name: 'OQSmuhvq01req_1.xml', bytes: asked, expected: unknownKind },
  { name: 'OQSmuonq01req_1.xml', bytes: asked, expected: unknownKind },
  { name: 'OQSmutic01req_1.xml', bytes: asked, expected: unknownKind },
  { name: '照会.xml', bytes: asked, expected: { told: true } },
  { name: 'OQSsiquc01_1.xml', bytes: asked, expected: { told: true } },
  { name: 'OQSsiquc01req_1.txt', bytes: asked, expected: { told: true } },
];

const byKind: readonly CorpusFile[] = [
  {
    name: 'OQSmuquc01req_many.xml',
    bytes: sjis(
      declared('Shift_JIS', bodyOf(searchOf(insured) + searchOf({ ...insured, InsuredIdentificationNumber: '9' }))),
    ),
    expected: { answer: ['<ReceptionNumber>'] },
  },
  {
    name: 'OQSmuquc02req_none.xml',
    bytes: sjis(declared('Shift_JIS', bodyOf(element('ReceptionNumber', '1')))),
    expected: { answer: ['message.stale', '<SegmentOfResult>3<'] },
  },
  { name: 'OQSmuquc02req_broken.xml', bytes: sjis(declared('Shift_JIS', bodyOf(''))), expected: unreadable },
  {
    name: 'OQSsiimm01req_new.xml',
    bytes: sjis(declared('Shift_JIS', bodyOf(registration('1'.repeat(50))))),
    expected: { answer: ['<SegmentOfResult>1<', `<ReferenceNumber>${'1'.repeat(50)}<`] },
  },
  {
    name: 'OQSsiimm01req_nobody.xml',
    bytes: sjis(declared('Shift_JIS', bodyOf(registration('2', { ...insured, InsuredIdentificationNumber: '9' })))),
    expected: { answer: ['eligibility.not-found', '<SegmentOfResult>3<'] },
  },
  {
    name: 'OQSsiimm01req_long.xml',
    bytes: sjis(declared('Shift_JIS', bodyOf(registration('1'.repeat(51))))),
    expected: unreadable,
  },
  {
    name: 'OQSmuimm01req_many.xml',
    bytes: sjis(
      declared(
        'Shift_JIS',
        bodyOf(
          element('ReferenceNumberUnit', registration('A-1')) +
            element('ReferenceNumberUnit', registration('A-2', { ...insured, InsuredIdentificationNumber: '9' })),
        ),
      ),
    ),
    expected: {
      answer: ['<SegmentOfResult>1<', '<ReferenceNumber>A-1<', '<ReferenceNumber>A-2<', 'eligibility.not-found'],
    },
  },
];

export const corpus: readonly CorpusFile[] = [...byDeclaration, ...byLayout, ...byHabit, ...byName, ...byKind];
