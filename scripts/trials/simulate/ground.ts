import type { Catalogues } from '../../../src/agent/agent-context.ts';
import {
  parseServiceRecords,
  type ServiceRecord,
} from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import { ConsentTextsInForce } from '../../../src/agent/intake/consent-texts.ts';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { type CardTrust, parseCardTrust } from '../../../src/agent/provisioning/card-trust.ts';
import { firstFacilitySettings } from '../../../src/catalogue/first-settings.ts';
import { catalogueAt, catalogueOfVersion } from '../../../src/catalogue/load-catalogue.ts';
import { readReleasedTexts } from '../../../src/catalogue/released-texts.ts';
import type { CvIssuer } from '../../../src/protocol/card/visual-ap.ts';
import type { FacilitySettings } from '../../../src/wire/facility-settings.ts';
import { recordsJson } from '../../beds/agent-bed.ts';
import { authority, trustedCvIssuers } from '../../beds/test-cards.ts';
import { makeTestFacility, type TestFacility } from '../../beds/test-facility.ts';
import { makePeople, type People, startMs } from './people.ts';
import { nameKey } from './stand-ins/cheap-jose.ts';
import { Kernel, setKernel } from './stand-ins/kernel.ts';
import { mount, SimulatedDisk } from './stand-ins/machine-disk.ts';

/** What all worlds of this process have in common: keys, cards, records, the empty journal. Nothing of it changes. */
export type Ground = {
  readonly facility: TestFacility;
  readonly people: People;
  readonly records: readonly ServiceRecord[];
  readonly trust: CardTrust;
  /** Whom the terminal believes about a card's face */
  readonly trustedCvIssuers: readonly CvIssuer[];
  readonly catalogues: Catalogues;
  readonly emptyJournal: Uint8Array;
  /** Whose wall clock the texts of consents are asked for */
  readonly textsAt: (wallMs: number) => ReturnType<ConsentTextsInForce['now']>;
};

const catalogues: Catalogues = {
  at: (wallMs: number) => catalogueAt(wallMs),
  ofVersion: (version: string) => catalogueOfVersion(version),
  released: readReleasedTexts(),
};

/** What a clinic asks that was set up and never touched since. */
export const ordinarySettings: FacilitySettings = {
  ...firstFacilitySettings(catalogueAt(startMs).consents, 'medical', 'テスト医院', '1312345678'),
  padStrength: 'off',
};

/** A journal of this release without a row. */
const makeEmptyJournal = (): Uint8Array => {
  const kernel = new Kernel('ground', false);
  const disk = new SimulatedDisk(kernel, null);
  mount(disk);
  new Journal('journal.sqlite', { steadyMs: () => 0 }).close();
  const bytes = disk.database.serialize();
  disk.close();
  mount(null);
  return bytes;
};

const nameKeys = ({ device, agent, registry }: TestFacility): void => {
  const pairs = [device.signing, device.sealing, agent.signing, ...device.agents, ...device.facilityKeys];
  const others = [...registry.values()].flatMap(({ signing, sealing }) => [signing, sealing]);
  for (const { kid, key } of [...pairs, ...agent.sealing, ...agent.agents, ...others]) nameKey(key, kid);
};

export const layGround = async (): Promise<Ground> => {
  setKernel(null);
  const [facility, people] = [await makeTestFacility(), await makePeople()];
  nameKeys(facility);
  let wallMs = startMs;
  const texts = new ConsentTextsInForce({
    catalogues,
    clock: { now: () => ({ monotonicMs: 0, wallMs }), wakeAt: () => () => {} },
  });
  return {
    facility,
    people,
    records: parseServiceRecords(recordsJson, startMs),
    trust: parseCardTrust(authority.caCertificatePem, authority.cvIssuersJson),
    trustedCvIssuers,
    catalogues,
    emptyJournal: makeEmptyJournal(),
    textsAt: (at) => {
      wallMs = at;
      return texts.now();
    },
  };
};
