import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type MadeCard, makeCard } from '../../drivers/virtual/card-maker.ts';
import { personas } from '../../drivers/virtual/personas.ts';
import type { CardApplication, CardFile } from '../../drivers/virtual/virtual-card.ts';
import { writeCardTrust } from '../../src/agent/provisioning/card-trust.ts';
import { addStaffMember } from '../../src/agent/staff-page/staff-codes.ts';
import { firstFacilitySettings, withEveryQuestion } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { files as cardFiles } from '../../src/protocol/card/myna-card.ts';
import { authority } from '../beds/test-cards.ts';
import { makeTestFacility } from '../beds/test-facility.ts';
import { projectRoot } from '../demonstration/facility.ts';
import type { Baked, BakedCard, BakedFile, BakedKey } from './page/node/baked.ts';

/** The simulated day: a Wednesday morning in Japan. The page's clock goes on from here, so that no card of it grows old. */
const startMs = Date.parse('2026-12-02T10:00:00+09:00');
const keyFolder = join(projectRoot, '.cache/virtual-card-keys');

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** What the product itself reads: text files only, by their path in the project. */
const projectFiles = (): Record<string, string> => {
  const folders = ['consents', 'kinds', 'failures', 'texts', 'mended-texts', 'desk', 'shares', 'grants', 'notices'];
  const catalogue = [...folders, 'maintenance', 'released'].map((name) => `src/catalogue/${name}`);
  const single = [
    'src/agent/eligibility/simulated-eligibility-service.records.json',
    'src/agent/staff-page/staff-page.css',
    'src/agent/staff-page/staff-page.js',
  ];
  const below = catalogue.flatMap((folder) =>
    readdirSync(join(projectRoot, folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => `${folder}/${name}`),
  );
  const read = [...below, ...single].map(
    (path) => [`/${path}`, readFileSync(join(projectRoot, path), 'utf8')] as const,
  );
  const { version, released } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  return { ...Object.fromEntries(read), '/package.json': JSON.stringify({ version, released }) };
};

/** All files below a folder, under another name. */
const filesOf = (folder: string, as: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [`${as}/${name}`, readFileSync(join(folder, name), 'utf8')]),
  );

/** Trailing FF is put back by the page. */
const bakedFile = (file: CardFile, key: string): BakedFile => {
  if (file.kind === 'secret') return { ...file, secret: base64(file.secret) };
  if (file.kind === 'key') return { kind: 'key', openedBy: file.openedBy, key };
  const end = file.content.findLastIndex((byte) => byte !== 0xff) + 1;
  return {
    kind: 'transparent',
    content: base64(file.content.slice(0, end)),
    size: file.content.length,
    openedBy: file.openedBy,
  };
};

const bakedCard = ({ persona, card, applications, printedNumberB, photoJp2 }: MadeCard): BakedCard => {
  const authKey = `${persona.id}-auth`;
  const keyOf = (fid: number): string => (fid === cardFiles.jpki.authKey ? authKey : 'sign');
  const application = ({ aid, files, presenceKey }: CardApplication) => ({
    aid: base64(aid),
    presenceKey: presenceKey === undefined ? null : `${persona.id}-visual`,
    files: [...files].map(([fid, file]) => [fid, bakedFile(file, keyOf(fid))] as const),
  });
  return {
    persona,
    atr: base64(card.atr),
    printedNumberB,
    photoJp2: base64(photoJp2),
    applications: applications.map(application),
  };
};

/** Small, and another one for each: the simulated booth tells by it whose photo it was given. */
const photoOf = (index: number) => ({
  width: 64,
  height: 64,
  grey: Uint8Array.from({ length: 4096 }, (_, at) => (at * (index + 3) + index * 29) & 0xff),
});

const keysOf = (cards: readonly BakedCard[]): Record<string, BakedKey> => {
  const names = cards.flatMap(({ applications }) =>
    applications.flatMap(({ presenceKey, files }) => [
      ...(presenceKey === null ? [] : [presenceKey]),
      ...files.flatMap(([, file]) => (file.kind === 'key' ? [file.key] : [])),
    ]),
  );
  const jwkOf = (name: string): BakedKey => {
    const {
      n = '',
      e = '',
      d = '',
    } = createPrivateKey(readFileSync(join(keyFolder, `${name}.pem`))).export({ format: 'jwk' });
    return { n, e, d };
  };
  return Object.fromEntries([...new Set(names)].map((name) => [name, jwkOf(name)]));
};

/** Keys, cards, catalogue and settings of a clinic that was made a moment ago and is nobody's. */
export const bakeClinic = async (): Promise<Baked> => {
  const facility = await makeTestFacility();
  try {
    await writeCardTrust(join(facility.agentDirectory, 'card-trust'), {
      certificateIssuersPem: authority.caCertificatePem,
      cvIssuersJson: authority.cvIssuersJson,
    });
    await addStaffMember(
      join(facility.agentDirectory, 'staff.json'),
      { approver: 'nurse-1', label: '看護師 見本' },
      '2580',
    );
    const made = [...personas.values()].map((persona, index) =>
      makeCard({ persona, authority, keyFolder, photo: photoOf(index), wallMs: startMs }),
    );
    const cards = (await Promise.all(made)).map(bakedCard);
    const { consents } = catalogueAt(startMs);
    const ordinary = firstFacilitySettings(consents, 'medical', 'さくら内科クリニック', '1310000001');
    return {
      startMs,
      files: {
        ...projectFiles(),
        ...filesOf(facility.deviceDirectory, '/clinic/device'),
        ...filesOf(facility.agentDirectory, '/clinic/agent'),
      },
      cards,
      keys: keysOf(cards),
      folders: { device: '/clinic/device', agent: '/clinic/agent' },
      settings: {
        ...withEveryQuestion(consents, ordinary),
        languages: ['ja', 'ja-easy', 'en', 'zh-Hans', 'zh-Hant', 'ko', 'vi', 'pt', 'tl', 'ne'],
      },
    };
  } finally {
    facility.remove();
  }
};
