import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { certificateOf, clientChainError, commonNameOf } from '../../src/trust/client-chain.ts';
import {
  certificatesOf,
  dateError,
  type KnownTime,
  refusedByDate,
  serverChainError,
} from '../../src/trust/server-chain.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] as const;
const [fromMs, toMs] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)];
const at = (wallMs: number, certainty: KnownTime['certainty'] = 'confirmed', floorMs = fromMs): KnownTime => ({
  ...{ wallMs, floorMs, certainty },
});
const midway = at(Date.UTC(2026, 6, 1));

type Made = { readonly name: string; readonly keys: webcrypto.CryptoKeyPair; readonly certificate: X509Certificate };
type Wish = {
  readonly ca?: boolean;
  readonly usage?: string | null;
  readonly until?: number;
  readonly from?: number;
  readonly keys?: webcrypto.CryptoKeyPair;
};
const newKeys = () =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

/** By `issuer`; null: by itself. */
const make = async (name: string, issuer: Made | null, wish: Wish = {}): Promise<Made> => {
  const { ca = false, usage = null, until = toMs, from = fromMs } = wish;
  const keys = wish.keys ?? (await newKeys());
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    notBefore: new Date(from),
    notAfter: new Date(until),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(ca),
      ...(usage === null ? [] : [new x509.ExtendedKeyUsageExtension([usage])]),
    ],
  });
  return { name, keys, certificate: new X509Certificate(made.toString('pem')) };
};

let root: Made;
let issuing: Made;
let stranger: Made;
beforeAll(async () => {
  root = await make('facility', null, { ca: true });
  issuing = await make('issuing', root, { ca: true });
  // The same name, another key.
  stranger = await make('facility', null, { ca: true });
});

/** As a TLS connection shows it: each certificate knows the one above it. */
const shown = (leaf: Made, ...above: readonly Made[]): X509Certificate => {
  const chain = [leaf, ...above].map(({ certificate }) => new X509Certificate(certificate.raw));
  chain.forEach((certificate, index) => {
    Object.defineProperty(certificate, 'issuerCertificate', { value: chain[index + 1] });
  });
  return chain[0] as X509Certificate;
};

describe('dates by what is known of the time', () => {
  test('the last instant still counts, the next does not; the first day likewise', () => {
    const { certificate } = root;
    expect(dateError(certificate, at(toMs))).toBeNull();
    expect(dateError(certificate, at(toMs + 1))).toBe('CERT_HAS_EXPIRED');
    expect(dateError(certificate, at(fromMs))).toBeNull();
    expect(dateError(certificate, at(fromMs - 1))).toBe('CERT_NOT_YET_VALID');
  });

  test('both words are known as those of a date, no other is', () => {
    const words = [toMs + 1, fromMs - 1].map((wallMs) => dateError(root.certificate, at(wallMs)) ?? '');
    expect(words.map((word) => refusedByDate.has(word))).toEqual([true, true]);
    expect(['', 'INVALID_CA'].map((word) => refusedByDate.has(word))).toEqual([false, false]);
  });

  test('a clock that is not confirmed refuses nothing by itself; what is surely over is over', () => {
    for (const wallMs of [fromMs - 1, toMs + 1]) expect(dateError(root.certificate, at(wallMs, 'doubted'))).toBeNull();
    expect(dateError(root.certificate, at(fromMs - 1, 'doubted', toMs + 1))).toBe('CERT_HAS_EXPIRED');
    // A floor beyond the end says nothing against a confirmed time before it.
    expect(dateError(root.certificate, at(midway.wallMs, 'confirmed', toMs + 1))).toBeNull();
  });
});

describe("a server's chain", () => {
  const judge = (certificate: X509Certificate, time = midway, trusted = [root.certificate]) =>
    serverChainError(certificate, trusted, time);
  const server = (issuer: Made | null, wish: Wish = {}) => make('broker', issuer, { usage: serverAuth, ...wish });

  test('leads to the authority itself, or by one issuer below it', async () => {
    expect(judge(shown(await server(root)))).toBeNull();
    const below = await server(issuing);
    expect(judge(shown(below, issuing))).toBeNull();
    // One of several authorities is enough.
    expect(judge(shown(below, issuing), midway, [stranger.certificate, root.certificate])).toBeNull();
  });

  test('refused: what is no server, or is an authority', async () => {
    expect(judge(shown(await server(root, { usage: clientAuth })))).toBe('INVALID_PURPOSE');
    expect(judge(shown(await server(root, { usage: null })))).toBe('INVALID_PURPOSE');
    expect(judge(shown(await server(root, { ca: true })))).toBe('INVALID_PURPOSE');
  });

  test('refused: nobody above it, itself above it, or somebody of the same name with another key', async () => {
    const below = await server(issuing);
    expect(judge(shown(below))).toBe('UNABLE_TO_GET_ISSUER_CERT');
    const own = await server(null);
    expect(judge(shown(own, own))).toBe('UNABLE_TO_GET_ISSUER_CERT');
    expect(judge(shown(await server(stranger)))).toBe('UNABLE_TO_GET_ISSUER_CERT');
    const impostor = await make('issuing', root, { ca: true });
    expect(judge(shown(below, impostor))).toBe('INVALID_CA');
    expect(judge(shown(below, root))).toBe('INVALID_CA');
  });

  test('refused: an issuer or a trusted certificate that is no authority', async () => {
    const leaf = await make('issuing', root);
    expect(judge(shown(await server(leaf), leaf))).toBe('INVALID_CA');
    expect(judge(shown(await server(leaf)), midway, [leaf.certificate])).toBe('INVALID_CA');
  });

  test('refused: the date of any of the three, each by its own word', async () => {
    const late = at(toMs + 1);
    const still = { until: toMs + 10_000 };
    expect(judge(shown(await server(root)), late)).toBe('CERT_HAS_EXPIRED');
    expect(judge(shown(await server(root, { from: midway.wallMs + 1_000 })))).toBe('CERT_NOT_YET_VALID');
    const below = await make('issuing', root, { ca: true, ...still });
    expect(judge(shown(await server(issuing, still), issuing), late)).toBe('CERT_HAS_EXPIRED');
    // The facility's own certificate is over, those below it are not.
    expect(judge(shown(await server(below, still), below), late)).toBe('CERT_HAS_EXPIRED');
  });

  test('four certificates at most', async () => {
    const chain: Made[] = [root];
    for (const name of ['a', 'b', 'c', 'd']) chain.unshift(await make(name, chain[0] as Made, { ca: true }));
    const [fourth, third, second, first] = chain as [Made, Made, Made, Made];
    expect(judge(shown(await server(third), third, second, first))).toBeNull();
    expect(judge(shown(await server(fourth), fourth, third, second, first))).toBe('CERT_CHAIN_TOO_LONG');
  });
});

describe("a client's chain", () => {
  const judge = (chain: readonly Made[], time = midway, trusted = [root.certificate]) =>
    clientChainError(
      chain.map(({ certificate }) => certificate),
      trusted,
      time,
    );
  const client = (issuer: Made | null, wish: Wish = {}) => make('front-1', issuer, { usage: clientAuth, ...wish });

  test('leads to the authority itself, or by one issuer below it', async () => {
    expect(judge([await client(root)])).toBeNull();
    const below = await client(issuing);
    expect(judge([below, issuing])).toBeNull();
    expect(judge([below, issuing], midway, [stranger.certificate, root.certificate])).toBeNull();
  });

  test('refused: none, what is no client, what is an authority', async () => {
    expect(judge([])).toBe('UNABLE_TO_GET_ISSUER_CERT');
    expect(judge([await client(root, { usage: serverAuth })])).toBe('INVALID_PURPOSE');
    expect(judge([await client(root, { usage: null })])).toBe('INVALID_PURPOSE');
    expect(judge([await client(root, { ca: true })])).toBe('INVALID_PURPOSE');
  });

  test('refused: a gap, a stranger of the same name, an issuer that may issue nothing', async () => {
    const below = await client(issuing);
    expect(judge([below])).toBe('UNABLE_TO_GET_ISSUER_CERT');
    expect(judge([await client(stranger)])).toBe('UNABLE_TO_GET_ISSUER_CERT');
    expect(judge([below, await make('issuing', root, { ca: true })])).toBe('INVALID_CA');
    expect(judge([below, root])).toBe('INVALID_CA');
    const leaf = await make('issuing', root);
    expect(judge([await client(leaf), leaf])).toBe('INVALID_CA');
    // In the list of authorities it is none either.
    expect(judge([await client(leaf)], midway, [leaf.certificate])).toBe('UNABLE_TO_GET_ISSUER_CERT');
  });

  test('refused: the date of the end, of the issuer, of the authority', async () => {
    const late = at(toMs + 1);
    const still = { until: toMs + 10_000 };
    expect(judge([await client(root, { until: midway.wallMs - 1_000 })])).toBe('CERT_HAS_EXPIRED');
    const over = await make('issuing', root, { ca: true, until: midway.wallMs - 1_000 });
    expect(judge([await client(over), over])).toBe('CERT_HAS_EXPIRED');
    expect(judge([await client(root, still)], late)).toBe('CERT_HAS_EXPIRED');
    const lasting = await make('facility', null, { ca: true, ...still, keys: root.keys });
    expect(judge([await client(root, still)], late, [lasting.certificate])).toBeNull();
  });
});

describe('certificates as they are written', () => {
  test('all of a file, in its order, whatever stands between them', () => {
    const text = `a key\n${issuing.certificate.toString()}\nwords\n${root.certificate.toString()}`;
    expect(certificatesOf(text).map(commonNameOf)).toEqual(['issuing', 'facility']);
    expect(certificatesOf('nothing')).toEqual([]);
  });

  test('what is no certificate is none, and one without a name has none', async () => {
    expect(certificateOf('nothing')).toBeNull();
    expect(certificateOf(root.certificate.toString())?.fingerprint256).toBe(root.certificate.fingerprint256);
    const keys = await newKeys();
    const nameless = await x509.X509CertificateGenerator.create({
      ...{ serialNumber: '01', subject: 'OU=CN,O=XCN=front-1', issuer: 'CN=x', signingAlgorithm: algorithm },
      ...{ notBefore: new Date(fromMs), notAfter: new Date(toMs) },
      ...{ publicKey: keys.publicKey, signingKey: keys.privateKey },
    });
    expect(commonNameOf(new X509Certificate(nameless.toString('pem')))).toBeNull();
  });
});
