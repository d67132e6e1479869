/**
 * 利用率, as a rule of its time. Two shares bear the name: `uses-per-confirmation` マイナ保険証利用数 ÷ オンライン資格確認回数
 * (uses, the seminars of 2024), and `people-per-receipt` マイナ保険証利用者数 ÷ レセプト件数 (people, each once a month: what the
 * 加算 ask for). A share by the one says nothing about the other.
 */
type ShareFormula = 'uses-per-confirmation' | 'people-per-receipt';

/** What a 加算 asks for from a day on, as data (src/catalogue/shares/*.json). Dates are yyyy-MM-dd, Japanese days. */
export type ShareRule = {
  readonly from: string;
  /** Last day, where the source names it; else until the next rule begins */
  readonly until?: string | undefined;
  readonly addition: string;
  readonly formula: ShareFormula;
  /** Thresholds in per cent, strongest first */
  readonly levels: readonly { readonly name: string; readonly percent: number; readonly points?: string | undefined }[];
  readonly note?: string | undefined;
  readonly source: string;
};

/** The rule of a day; undefined before the first and after one that ended without a successor. */
export const shareRuleAt = (rules: readonly ShareRule[], day: string): ShareRule | undefined => {
  const begun = rules.filter(({ from }) => from <= day).sort((a, b) => (a.from < b.from ? -1 : 1));
  const last = begun.at(-1);
  return last?.until !== undefined && last.until < day ? undefined : last;
};

/** The strongest level that a share of that many per cent reaches; undefined: none. */
export const levelReached = ({ levels }: ShareRule, percent: number): ShareRule['levels'][number] | undefined =>
  levels.find((level) => percent >= level.percent);

/** Per cent with no rounding; null where nothing was counted. */
export const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : (part / whole) * 100);
