/** A mistake put into a sample program by name, and the rule by which its kit must tell it. */
type PlantedDefect<Name extends string = string> = { readonly name: Name; readonly rule: string };

/** Called as the rule that tells it, unless said otherwise. */
export const defect = <Name extends string>(name: Name, rule: string = name): PlantedDefect<Name> => ({ name, rule });

/** What a kit said of one run of its sample: with a defect in it, or as it should be. */
type SampleRun = { readonly rules: ReadonlySet<string> };

export type CheckedKit = {
  readonly kit: string;
  readonly defects: readonly PlantedDefect[];
  /** `null`: the sample as it should be */
  readonly run: (defect: string | null) => Promise<SampleRun>;
};
