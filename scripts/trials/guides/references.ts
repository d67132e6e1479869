/** Documents that name commands in passing and guide nobody through them, each with what holds their commands. */
export const references: Readonly<Record<string, string>> = {
  'docs/CHANGELOG.md': 'what a release brought; a command that is named there exists (test/cli/say.test.ts)',
  'docs/accessibility.md': 'names the measurements of docs/figures.md',
  'docs/architecture.md': 'names the measurements of docs/figures.md',
  'docs/capacity.md': 'names the measurements of docs/figures.md',
  'docs/evidence.md': 'says what stands behind each claim, and names the trial',
  'docs/faults.md': 'made from the remedies; npm run doctor-bench carries out those that have commands',
  'docs/figures.md': 'is the list of the measurements, each with what its command printed',
  'docs/log-events.md': 'made from the catalogue of events',
  'docs/official.md': 'names the measurements of docs/figures.md',
  'docs/quality.md': 'names the measurements of docs/figures.md',
  'docs/screens.md': 'names the measurements of docs/figures.md',
  'docs/states.md': 'drawn anew by the command that it names; a test says so when it is old',
  'docs/threats.md': 'names the trial of each defence',
  'docs/times.md': 'drawn anew by the command that it names; a test says so when it is old',
};
