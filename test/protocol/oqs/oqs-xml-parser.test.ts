import { describe, expect, test } from 'vitest';
import { parseXml } from '../../../src/protocol/oqs/oqs-xml-parser.ts';

const leaf = (name: string, text: string) => ({ name, text, children: [] });
const malformed = { ok: false, failure: { code: 'message.malformed' } };

test.each([
  ['<a>x</a>', 'x'],
  ['<a/>', ''],
  ['<a />', ''],
  ['<a></a>', ''],
  ['<a> \n </a>', ' \n '],
  ['\ufeff<?xml version="1.0"?>\n<a>x</a>\n', 'x'],
  ['<!-- < > & --><a>x<!-- y -->z</a><!-- -->', 'xz'],
  ['<a b="1" c:d = \'2\'>x</a>', 'x'],
  ['<a  b="" \n c="a long one" d=\'\' e=\'another one\' >x</a>', 'x'],
  ['<a>x</a >', 'x'],
  ['<a> x\t\r\ny\nz </a>', ' x\t\ny\nz '],
  ['<a><![CDATA[<b>&amp;]]]></a>', '<b>&amp;]'],
  ['<a>x<![CDATA[]]>y</a>', 'xy'],
  ['<a><![CDATA[a line\nand another]]></a>', 'a line\nand another'],
  ['<a>&lt;&gt;&amp;&quot;&apos;</a>', '<>&"\''],
  [
    '<a>&#9;&#10;&#13;&#32;&#55295;&#57344;&#65533;&#65536;&#1114111;</a>',
    '\t\n\r \ud7ff\ue000\ufffd\u{10000}\u{10ffff}',
  ],
  ['<a>&#x9;&#xA;&#xd;&#x20BB7;</a>', '\t\n\r𠮷'],
])('%j is one element with its text', (xml, text) => {
  expect(parseXml(xml)).toEqual({ ok: true, value: leaf('a', text) });
});

test('elements within elements, in their order; blanks between them are nobody’s text, letters are', () => {
  const xml = '<a>\n  <b>1</b>\n  <c x="1"/>\n  <b><d/></b>\n</a>';
  const inner = [leaf('b', '1'), leaf('c', ''), { name: 'b', text: '', children: [leaf('d', '')] }];
  expect(parseXml(xml)).toEqual({ ok: true, value: { name: 'a', text: '', children: inner } });
  expect(parseXml('<a> <b/>x</a>')).toEqual({ ok: true, value: { name: 'a', text: ' x', children: [leaf('b', '')] } });
});

describe('no element is made of', () => {
  test.each([
    ['', 'nothing'],
    ['<?xml version="1.0"?>', 'a declaration alone'],
    ['x', 'text alone'],
    ['x<a/>', 'text before the root'],
    ['<a/>x', 'text behind it'],
    ['<![CDATA[x]]><a/>', 'CDATA before it'],
    ['<a/><b/>', 'two roots'],
    ['<a></a><b></b>', 'two roots that hold nothing'],
    ['<a>', 'a start without its end'],
    ['<a><b></a>', 'an inner one without its end'],
    ['<a><b></a></b>', 'ends in another order'],
    ['</a>', 'an end alone'],
    ['<a/></a>', 'an end too many'],
    ['<a><', 'half a sign'],
    ['<1/>', 'a name that begins with a digit'],
    ['<a b/>', 'an attribute without a value'],
    ['<a b=1/>', 'a value without quotes'],
    ['<a b="<"/>', 'a bracket in a value'],
    ['<a b="1"c="2"/>', 'attributes without a blank'],
    ['<!DOCTYPE a><a/>', 'a document type'],
    ['<a><![CDATA[x</a>', 'CDATA without its end'],
    ['<a><!-- x</a>', 'a comment without its end'],
    ['<a>&</a>', 'a bare &'],
    ['<a>&nbsp;</a>', 'a reference that is not ours'],
    ['<a>&toString;</a>', 'a reference by a name that every object of a program knows'],
    ['<a>&nbsp;&lt;</a>', 'such a one before a good one'],
    ['<a>&#;</a>', 'a reference to nothing'],
    ['<a>&#12345678;</a>', 'one of eight digits'],
    ['<a>&#x1234567;</a>', 'one of seven'],
    ['<a>&#xG;</a>', 'one that is no number'],
    ['<a>\u0001</a>', 'a control character'],
    ['<a>\ufffe</a>', 'what is no character'],
    ['<a>\ud800</a>', 'half a character'],
    ['x\ufeff<a/>', 'a mark that is not the first'],
  ])('%j: %s', (xml) => {
    expect(parseXml(xml)).toMatchObject(malformed);
  });

  test.each([0, 8, 0xb, 0xc, 0xe, 0x1f, 0xd800, 0xdfff, 0xfffe, 0xffff, 0x110000])(
    'a reference to what XML cannot hold: %i',
    (code) => {
      expect(parseXml(`<a>&#${code};</a>`)).toMatchObject(malformed);
      expect(parseXml(`<a>&#x${code.toString(16)};</a>`)).toMatchObject(malformed);
    },
  );

  test('more than four million characters, or elements nested deeper than any layout', () => {
    const long = (characters: number): string => `<a>${'x'.repeat(characters - 7)}</a>`;
    expect(parseXml(long(4_000_000)).ok).toBe(true);
    expect(parseXml(long(4_000_001))).toMatchObject(malformed);
    const deep = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(parseXml(deep(12)).ok).toBe(true);
    expect(parseXml(deep(13))).toMatchObject(malformed);
    expect(parseXml(`${'<a>'.repeat(12)}<b/>${'</a>'.repeat(12)}`)).toMatchObject(malformed);
  });
});
