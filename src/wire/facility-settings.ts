import { z } from 'zod';
import { settingsFromV1 } from './v1-names.ts';

/** 医科, 歯科, 薬局, 訪問看護: what each begins with and how it is worded stands in the catalogue. */
export const facilityKinds = ['medical', 'dental', 'pharmacy', 'visiting-nurse'] as const;
export type FacilityKind = (typeof facilityKinds)[number];

export const cameraPlaces = ['above', 'below', 'left', 'right'] as const;

/** What a clinic decides for all its terminals; comes from the agent, signed and versioned. */
export const facilitySettingsSchema = z.strictObject({
  facilityName: z
    .string()
    .min(1)
    .max(60)
    .regex(/^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u),
  /** 医療機関等コード */
  medicalInstitutionCode: z.string().regex(/^\d{10}$/),
  /** Area of the announced maintenance windows, e.g. a prefecture's code */
  area: z
    .string()
    .regex(/^[\w-]{1,20}$/)
    .default('13'),
  institutionType: z.enum(facilityKinds),
  /** Which 同意項目 are asked. One that is not named is asked as the catalogue's default for this kind says. */
  asks: z.record(z.string().regex(/^[A-Z][A-Z0-9]{1,7}$/), z.boolean()).default({}),
  /** 医療費助成 (PMH) */
  medicalSubsidy: z.boolean(),
  /** 電子処方箋 in use (OQSCD038): 0 no */
  prescriptionUse: z.number().int().min(0).max(9),
  /** When the form of the prescription is chosen (OQSCD039): 2 = at the reader */
  prescriptionTiming: z.number().int().min(0).max(9),
  /** 診療情報提供書 by the sharing service */
  referralDocuments: z.boolean(),
  /** 居宅同意取得型 (マイナ在宅受付Web) is set up here: staff are told of it where the reader fails */
  homeConsent: z.boolean().default(false),
  /** マイナ資格確認アプリ is set up here */
  qualificationApp: z.boolean().default(false),
  /** An Android serves instead of a card; it takes a reader that reads both, or a paired 汎用カードリーダー */
  smartphone: z.boolean().default(false),
  /**
   * Consents that a patient signed beforehand on a phone are shown for one touch. A proposal of this project, known to no official
   * service: nothing comes of it where the service has none of them (docs/decisions/0057).
   */
  preCheckIn: z.boolean().default(false),
  /** Languages offered, the first is the one a visit begins in */
  languages: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z-]{1,11}$/))
    .min(1)
    .max(12),
  padStrength: z.enum(['off', 'passive', 'active']),
  theme: z.enum(['default', 'high-contrast', 'dark']).default('default'),
  textPercent: z.union([z.literal(100), z.literal(150), z.literal(200)]).default(100),
  layout: z.enum(['standard', 'low']).default('standard'),
  /** The face check begins when the card has been read, instead of waiting to be chosen */
  faceAtOnce: z.boolean().default(false),
  /** What is said by itself; whoever asks, by the button, a key or an earphone, hears everything. */
  voice: z.enum(['off', 'headings']).default('headings'),
  /** Of voice and chimes, 0 … 100; left out: as the terminal is configured */
  volume: z.number().int().min(0).max(100).optional(),
  /** Whom staff call when a machine fails: shown on the staff page */
  technicianPhone: z
    .string()
    .regex(/^[0-9+()\- ]{3,24}$/)
    .optional(),
  /** Whether the idle screen speaks to somebody whom the presence sensor has noticed */
  idleVoice: z.enum(['off', 'when-near']).default('when-near'),
  /** Where the camera is, as seen from the screen: what the voice says to who cannot see the picture */
  cameraPlace: z.enum(cameraPlaces).default('above'),
  /** Without effect since texts have grades; files of clinics and version 1 of the wire still name it. */
  offerUnreviewedLanguages: z.boolean().default(false),
  /** Set by the agent: the release that it is of, and up to which lane terminals may follow now (null: nobody). Wire 2 */
  release: z
    .strictObject({
      version: z.string().regex(/^\d[0-9A-Za-z.+-]{0,39}$/),
      lane: z.number().int().min(1).max(99).nullable(),
    })
    .optional(),
  timeouts: z
    .strictObject({
      /** A patient who does nothing is asked, then sent home to the idle screen; touch extends. ms */
      answerMs: z.number().int().min(10_000).max(600_000).default(60_000),
      /** A pulled card may come back this long without losing an answer. ms */
      cardReturnMs: z.number().int().min(1_000).max(30_000).default(5_000),
      /** Face tries before PIN and staff check are offered in large. ms */
      faceMs: z.number().int().min(5_000).max(120_000).default(20_000),
      /** Offline this long, the patient is sent to the desk. ms */
      offlineMs: z.number().int().min(5_000).max(300_000).default(30_000),
    })
    .prefault({}),
});
export type FacilitySettings = z.infer<typeof facilitySettingsSchema>;

/** The time-outs before any settings came: the schema's own defaults, the one place where they stand. */
export const firstTimeouts: FacilitySettings['timeouts'] = facilitySettingsSchema.shape.timeouts.parse({});

/** As it is read, from the wire or a clinic's file: by these names, or by those of version 1; always today's afterwards. */
export const writtenFacilitySettingsSchema = z.preprocess(settingsFromV1, facilitySettingsSchema);
