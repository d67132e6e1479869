import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dayMs } from '../../core/time-units.ts';
import { clientChainError, commonNameOf } from '../../trust/client-chain.ts';
import { cvIssuersFile, parseCvIssuers } from '../../trust/cv-trust.ts';
import { keyFiles, keyFolders, readLinkKeys, readTerminalKeys, type TlsFiles } from '../../trust/key-files.ts';
import { certificatesOf, refusedByDate } from '../../trust/server-chain.ts';
import { readTlsPairs } from '../../trust/tls-pairs.ts';
import type { DoctorCheck, Examined } from './examination.ts';

/** Renewed in time nobody ever comes so near. */
export const nearExpiryDays = 30;

const reads = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch {
    return null;
  }
};

/** What of a pair and its authority is not what it is called, by its file; null: whole, and of one another. */
const brokenIn = ({ key, certificate, ca }: TlsFiles, wallMs: number): string | null => {
  const secret = reads(() => createPrivateKey(key));
  if (secret === null) return `${keyFiles.tlsKey}: no key`;
  const chain = reads(() => certificatesOf(certificate)) ?? [];
  const [leaf] = chain;
  if (leaf === undefined) return `${keyFiles.tlsCertificate}: no certificate`;
  const authorities = reads(() => certificatesOf(ca)) ?? [];
  if (authorities.length === 0) return `${keyFiles.facilityCa}: no certificate`;
  if (!leaf.checkPrivateKey(secret)) return `${keyFiles.tlsKey}: not the key of ${keyFiles.tlsCertificate}`;
  // Its dates are told by their own names.
  const wrong = clientChainError(chain, authorities, { wallMs, floorMs: wallMs, certainty: 'confirmed' });
  return wrong === null || refusedByDate.has(wrong) ? null : `${keyFiles.tlsCertificate}: ${wrong}`;
};

/** The system's errors name no file where they come from a read: the first that is none is that one. */
const noFileIn = async ({ paths }: Examined): Promise<string> => {
  const { terminal, link } = keyFolders;
  const { signingKey, sealingKey, trust, tlsKey, tlsCertificate, facilityCa } = keyFiles;
  const names = [
    ...[signingKey, sealingKey, trust, cvIssuersFile].map((file) => join(terminal, file)),
    ...[tlsKey, tlsCertificate, facilityCa].map((file) => join(link, file)),
  ].map((name) => join(paths.provisioning, name));
  const isFile = await Promise.all(
    names.map((name) =>
      stat(name).then(
        (is) => is.isFile(),
        () => true,
      ),
    ),
  );
  return names[isFile.indexOf(false)] ?? paths.provisioning;
};

export const keys: DoctorCheck = async ({ config, wallMs }) => {
  const { provisioning, store } = config.paths;
  const where = { device: config.device };
  try {
    const read = await readTerminalKeys(provisioning);
    const [pair] = await readTlsPairs(dirname(store), await readLinkKeys(provisioning));
    const other = (['facility', 'device', 'lane'] as const).filter((key) => read[key] !== config[key]);
    if (other.length > 0) {
      const detail = other.map((key) => `${key}: ${read[key]}`).join(', ');
      return { state: 'found', fault: 'keys.of-another-terminal', detail };
    }
    parseCvIssuers(await readFile(join(provisioning, keyFolders.terminal, cvIssuersFile), 'utf8'));
    const broken = brokenIn(pair, wallMs);
    if (broken !== null) return { state: 'found', fault: 'keys.missing', detail: broken, where };
    const owner = commonNameOf(new X509Certificate(pair.certificate));
    if (owner !== config.device)
      return { state: 'found', fault: 'keys.of-another-terminal', detail: `${keyFiles.tlsCertificate}: ${owner}` };
    return { state: 'ok', detail: `${read.facility}, ${read.device}, lane ${read.lane}` };
  } catch (error) {
    const { code = 'unreadable', path } = error as NodeJS.ErrnoException;
    // Root may read them all: what is shut to somebody else is as it must be.
    if (code === 'EACCES') return { state: 'skipped', detail: 'the keys cannot be read' };
    return { state: 'found', fault: 'keys.missing', detail: `${path ?? (await noFileIn(config))}: ${code}`, where };
  }
};

/** The terminal's, and its facility's authority. What was renewed lies beside the store; the one of provisioning only grows old. */
export const readCertificates = async ({ paths }: Examined): Promise<readonly [X509Certificate, X509Certificate]> => {
  const [{ certificate, ca }] = await readTlsPairs(dirname(paths.store), await readLinkKeys(paths.provisioning));
  return [new X509Certificate(certificate), new X509Certificate(ca)];
};

export const certificates: DoctorCheck = async ({ config, wallMs }) => {
  let read: readonly X509Certificate[];
  try {
    read = await readCertificates(config);
  } catch {
    return { state: 'skipped', detail: 'the certificates cannot be read' };
  }
  const days = Math.floor((Math.min(...read.map((each) => each.validToDate.getTime())) - wallMs) / dayMs);
  if (days < 0)
    return {
      ...{ state: 'found', fault: 'certificate.expired', detail: `${-days} days ago` },
      where: { device: config.device },
    };
  const detail = `${days} days left`;
  return days < nearExpiryDays ? { state: 'found', fault: 'certificate.near-expiry', detail } : { state: 'ok', detail };
};
