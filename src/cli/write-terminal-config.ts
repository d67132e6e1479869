import { chmod, readFile } from 'node:fs/promises';
import { isMap, parseDocument } from 'yaml';
import type { EnrolmentCode } from '../agent/provisioning/enrolment-code.ts';
import { printYaml } from '../config-file/plain-yaml.ts';
import { printProblems } from '../config-file/read-settings.ts';
import { copiesOfConfig, loadConfig } from '../processes/terminal-config.ts';
import { orMissing } from '../storage/or-missing.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import { tell } from './say.ts';

/* terminal.yaml after an enrolment: what the enrolment decides is changed, and what somebody has set by hand stays. */

/** What the terminal is, from its code or, on a later run, from what is there. */
export type Identity = Pick<
  EnrolmentCode,
  'facility' | 'device' | 'lane' | 'host' | 'brokerPort' | 'brokerProtocol' | 'test'
> & {
  readonly acceptedModels: readonly string[];
};

/** Whether each was found on this machine. */
export type Parts = Readonly<Record<'faceCamera' | 'cardCamera' | 'keypad' | 'statusLight' | 'loudspeaker', boolean>>;

type Setting = { readonly keys: readonly string[]; readonly value: unknown };

/** `value` undefined: the default of the file serves. */
const decidedByEnrolment = (identity: Identity): readonly Setting[] => [
  { keys: ['profile'], value: identity.test ? 'test' : undefined },
  { keys: ['facility'], value: identity.facility },
  { keys: ['device'], value: identity.device },
  { keys: ['lane'], value: identity.lane },
  { keys: ['broker', 'host'], value: identity.host },
  { keys: ['broker', 'port'], value: identity.brokerPort },
  ...(identity.brokerProtocol === undefined
    ? []
    : [{ keys: ['broker', 'protocolVersion'], value: identity.brokerProtocol }]),
  { keys: ['face', 'acceptUnverifiedModels'], value: identity.acceptedModels },
];

/** Set where nobody has set one. `ours`: what only a search for parts has written, and may take back. */
const decidedByParts = (parts: Parts): readonly (Setting & { readonly ours: readonly string[] })[] => [
  { keys: ['cardFrontReader', 'driver'], value: parts.cardCamera ? 'tesseract' : undefined, ours: ['tesseract'] },
  { keys: ['keypad', 'driver'], value: parts.keypad ? 'hid' : undefined, ours: ['hid'] },
  { keys: ['statusLight', 'driver'], value: parts.statusLight ? 'serial' : undefined, ours: ['serial'] },
  // A machine without a sound card may have one in its screen: the browser plays the recordings.
  { keys: ['speaker', 'driver'], value: parts.loudspeaker ? 'alsa' : 'page', ours: ['alsa', 'page'] },
];

type Document = ReturnType<typeof parseDocument>;

const put = (document: Document, { keys, value }: Setting): void => {
  if (value !== undefined) return document.setIn(keys, value);
  if (!document.hasIn(keys)) return;
  document.deleteIn(keys);
  const section = keys.slice(0, -1);
  // A section that holds nothing is refused when it is read.
  if (section.length > 0 && isEmpty(document.getIn(section))) document.deleteIn(section);
};
const isEmpty = (section: unknown): boolean => isMap(section) && section.items.length === 0;

/** `before`: the file as it is; null: there is none. `looksAgain`: parts were looked for again because somebody asked. */
const configAfter = (before: string | null, identity: Identity, parts: Parts, looksAgain: boolean): string => {
  const document = parseDocument(before ?? printYaml({ facility: identity.facility }));
  // The name in the certificate of another facility's broker.
  if (document.get('facility') !== identity.facility)
    put(document, { keys: ['broker', 'serverName'], value: undefined });
  for (const setting of decidedByEnrolment(identity)) put(document, setting);
  for (const setting of decidedByParts(parts)) {
    const now = document.getIn(setting.keys);
    const isOpen = now === undefined || (looksAgain && setting.ours.includes(String(now)));
    if (isOpen && now !== setting.value) put(document, setting);
  }
  return document.toString({ lineWidth: 0 });
};

/** Throws with line and column where what came of it could not be run with. The file of before lies beside it. */
export const writeTerminalConfig = async (
  file: string,
  identity: Identity,
  parts: Parts,
  looksAgain: boolean,
): Promise<void> => {
  const before = await readFile(file, 'utf8').catch(orMissing);
  const { before: kept } = copiesOfConfig(file);
  // A file with a mistake in it keeps nobody out of the clinic: what was in it is there to be put right.
  const isSound = before !== null && loadConfig(before).ok;
  const text = configAfter(isSound ? before : null, identity, parts, looksAgain);
  const checked = loadConfig(text);
  if (!checked.ok) throw new Error(printProblems(file, checked.failure));
  if (text === before) return;
  if (before !== null) {
    await writeFileAtomically(kept, before);
    await chmod(kept, 0o644);
    if (isSound) tell('{file}: what was set by hand stays; as it was before: {kept}', { file, kept });
    else tell('{file} could not be read and was made anew; as it was before: {kept}', { file, kept });
  }
  await writeFileAtomically(file, text);
  await chmod(file, 0o644);
};
