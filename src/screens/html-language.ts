/** The language code of the catalogue as HTML knows it: やさしい日本語 is Japanese, Filipino Tagalog. */
export const htmlLanguage = (language: string): string => (language === 'ja-easy' ? 'ja' : language);
