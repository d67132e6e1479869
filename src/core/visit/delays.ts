/**
 * Every waiting time of a visit that is not a facility setting, each with its reason. Time-outs that a clinic
 * may choose (answer, card return, face, offline) stand in the facility settings.
 */
export const delays = {
  /** A whole read with the photo takes 0.3-3 s at 106 kbps; three times that means the card does not lie right. */
  readCardMs: 10_000,
  /** A phone is taken out, unlocked, its owner authenticated on it or by PIN, and held to its reader. */
  presentPhoneMs: 60_000,
  /**
   * An Android's PIN, from 決定 until the phone is there; then it is overwritten and asked again. The phone is taken out
   * and unlocked meanwhile; no touch and no voice makes it longer.
   */
  phonePinHeldMs: 45_000,
  /** A finger that trembles lands twice within this time: where another question's buttons just were, it is not meant. */
  otherButtonsMs: 800,
  /** The national service answers in 3-7 s and has been at work since the card was read (for a phone it begins only then: `resultMs`). */
  lookupAfterVerificationMs: 4_000,
  /** The face process restarts in about 1.5 s; after this the PIN is offered instead. */
  faceRestartMs: 6_000,
  /** Nobody begins a visit, and nobody is asked for consent, once the clinic has not been reached for so long. */
  nobodyAnswersMs: 10_000,
  /** The same where it is known why: nothing more is waited for than a process that begins anew. */
  knownOutageMs: 5_000,
  /** 「まだいらっしゃいますか」 stays this long before the visit ends. */
  stillThereMs: 20_000,
  /** Staff may be with another patient. */
  staffCheckMs: 300_000,
  /** Card signature or VERIFY (about 0.5 s) and the durable row; beyond this something hangs. */
  signingMs: 10_000,
  /** The national service's 3-7 s and a margin; then the receipt alone is enough for the patient to sit down. */
  resultMs: 12_000,
  /** Reading time of the closing screen; ended early when the card is taken and somebody else's is laid down. */
  showResultMs: 10_000,
  /** Once the card has been taken the patient is leaving: one more look, then the next one is welcome. */
  showResultAfterRemovalMs: 3_000,
  /** A card still there after this makes light, voice and staff page call; again at this rhythm. */
  cardLeftMs: 15_000,
  /** A pulled card's answers are gone, and whoever walks away has this long to see that nothing has been received. */
  notFinishedMs: 20_000,
  /** The desk screen with its code stays this long, or until the next card. */
  deskMs: 30_000,
  /** Of the longest screen with every word of it; a sound card that never ends a sentence holds up nothing beyond this. */
  longestSpeechMs: 90_000,
  /** A deadline that comes while something is said is looked at again after this. */
  whileSaidMs: 1_000,
  /** Language, size and voice chosen at rest wait so long for whoever still looks for the card. */
  chosenAtRestMs: 180_000,
  /** The same once the card has been taken: time to read the heading again. */
  deskAfterRemovalMs: 6_000,
} as const;

/** Misses after which PIN and staff check are offered in large. */
export const faceMissesBeforeOthers = 3;
