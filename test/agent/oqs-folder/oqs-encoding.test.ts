import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { decodedOqs } from '../../../scripts/beds/agent-bed.ts';
import { encodeOqs } from '../../../src/agent/oqs-folder/oqs-encoding.ts';
import type { EncodingSetting } from '../../../src/protocol/oqs/oqs-xml.ts';
import { readOqsXml } from '../../../src/protocol/oqs/oqs-xml.ts';
import { type QualificationMessage, qualificationMessageSchema } from '../../../src/protocol/oqs/oqs-xml-schema.ts';

const message = (name: string, address = '架空県見本市'): QualificationMessage => ({
  MessageHeader: {
    ProcessExecutionTime: '20261121235959',
    QualificationConfirmationDate: '20261121',
    MedicalInstitutionCode: '1312345678',
    ArbitraryFileIdentifier: 'L01',
    ReferenceClassification: '1',
    SegmentOfResult: '1',
    CharacterCodeIdentifier: '1',
  },
  MessageBody: {
    ProcessingResultStatus: '1',
    QualificationValidity: '1',
    ResultList: {
      ResultOfQualificationConfirmation: [
        {
          InsuredCardClassification: '01',
          Name: name,
          Sex1: '1',
          Birthdate: '19700101',
          Address: address,
          InsurerName: 'x',
        },
      ],
    },
  },
});
const references: EncodingSetting = {
  encoding: 'Shift_JIS',
  label: 'Shift_JIS',
  machineDependent: 'character-reference',
};
const shiftJis: EncodingSetting = { ...references, label: 'Windows-31J', machineDependent: 'bytes' };

const encode = (name: string, setting: EncodingSetting, address?: string) => {
  const encoded = encodeOqs(qualificationMessageSchema, message(name, address), setting);
  if (!encoded.ok) throw new Error(encoded.failure.detail);
  const read = readOqsXml(qualificationMessageSchema, decodedOqs(encoded.value.bytes));
  if (!read.ok) throw new Error(read.failure.detail);
  const one = read.value.MessageBody.ResultList?.ResultOfQualificationConfirmation[0];
  return { ...encoded.value, name: one?.Name, address: one?.Address, header: read.value.MessageHeader };
};

describe('names as they are', () => {
  test.each([
    // In Windows-31J, though not in JIS X 0208
    ['髙﨑 花子', shiftJis, 'Shift_JIS', '髙﨑 花子', []],
    ['髙﨑 花子', { ...shiftJis, encoding: 'UTF-8' }, 'UTF-8', '髙﨑 花子', []],
    ['𠮷田 太郎', shiftJis, 'Shift_JIS', '𠮷田 太郎', ['lacking U+20BB7']],
    ['𠮷田 太郎', references, 'Shift_JIS', '𠮷田 太郎', ['lacking U+20BB7']],
    ['葛\u{e0100}西 一', shiftJis, 'Shift_JIS', '葛西 一', ['removed-selector U+E0100']],
    // Nothing is taken off where the file holds it
    ['葛\u{e0100}西 一', { ...shiftJis, encoding: 'UTF-8' }, 'UTF-8', '葛\u{e0100}西 一', []],
    ['𠮷田 葛\u{e0100}', shiftJis, 'Shift_JIS', '𠮷田 葛', ['lacking U+20BB7', 'removed-selector U+E0100']],
    // か in two pieces, a dash and a blank of other systems
    ['か\u3099くめ', references, 'Shift_JIS', 'がくめ', []],
    ['1\u20132\u00a03', references, 'Shift_JIS', '1－2 3', ['twin U+2013', 'twin U+00A0']],
    ['●橋 一', shiftJis, 'Shift_JIS', '●橋 一', ['sent-as-placeholder U+25CF']],
  ] as const)('%s', (name, setting, encoding, read, notes) => {
    const encoded = encode(name, setting as EncodingSetting);
    expect(encoded.encoding).toBe(encoding);
    expect(encoded.name).toBe(read);
    expect(encoded.notes.map(({ what, codePoint }) => `${what} ${codePoint}`)).toEqual(notes);
    expect(encoded.header.CharacterCodeIdentifier).toBe(encoding === 'UTF-8' ? '0' : '1');
  });

  test('signs that Unicode has twice: the twin that Windows-31J knows', () => {
    const encoded = encode('見本', shiftJis, '1〜2−3');
    expect(encoded.address).toBe('1～2－3');
    expect(encoded.notes.map(({ what }) => what)).toEqual(['twin', 'twin']);
  });

  test('neither ? nor ● is ever put in: all of the Basic Multilingual Plane, both ways', () => {
    const characters: string[] = [];
    for (let code = 0x20; code < 0xfffe; code += 1)
      if (
        code !== 0x3f &&
        code !== 0x25cf &&
        code !== 0x7f &&
        !(code >= 0xd800 && code < 0xe000) &&
        !(code >= 0x80 && code < 0xa0)
      )
        characters.push(String.fromCharCode(code));
    for (const setting of [shiftJis, references])
      for (let at = 0; at < characters.length; at += 90) {
        const { name = '', encoding } = encode(characters.slice(at, at + 90).join(''), setting);
        expect(name.includes('?') || name.includes('●'), `${encoding} at ${at}`).toBe(false);
      }
  });

  test('iconv-lite itself would have written ? without a word', () => {
    expect(iconv.encode('𠮷', 'cp932').toString('latin1')).toContain('?');
  });
});

test('the declaration decides how a file is read', () => {
  const xml = '<?xml version="1.0" encoding="Shift_JIS"?><a>髙</a>';
  expect(decodedOqs(iconv.encode(xml, 'cp932'))).toBe(xml);
  expect(decodedOqs(new TextEncoder().encode('<a>髙</a>'))).toBe('<a>髙</a>');
});
