import { isAsked } from '../core/catalogue/consent.ts';
import type { ConsentCatalogue } from '../core/catalogue/consent-catalogue.ts';
import { type FacilityKind, type FacilitySettings, facilitySettingsSchema } from '../wire/facility-settings.ts';
import type { ConsentCode } from '../wire/messages.ts';

/** What a new facility begins with: the catalogue's defaults for its kind, each question by name; Japanese first. */
export const firstFacilitySettings = (
  consents: ConsentCatalogue,
  kind: FacilityKind,
  facilityName: string,
  medicalInstitutionCode: string,
): FacilitySettings => {
  const asked = ({ code }: { code: ConsentCode }): [string, boolean] => [
    code,
    isAsked(code, consents, { asks: {}, institutionType: kind }),
  ];
  return facilitySettingsSchema.parse({
    facilityName,
    medicalInstitutionCode,
    institutionType: kind,
    asks: Object.fromEntries(consents.items.map(asked)),
    ...consents.kinds[kind].defaults,
    languages: ['ja', 'en'],
    padStrength: 'passive',
  });
};

/** The same facility with every question switched on: for the demonstration, the preview and the tests of all screens. */
export const withEveryQuestion = ({ items }: ConsentCatalogue, settings: FacilitySettings): FacilitySettings => ({
  ...settings,
  asks: Object.fromEntries(items.map(({ code }) => [code, true])),
  medicalSubsidy: true,
  prescriptionUse: 1,
  prescriptionTiming: 2,
  referralDocuments: true,
});
