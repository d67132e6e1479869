/** The card of a model (models/cards/ID.md), drawn from its entry in the manifest: licence, data, figures, limits. */
import type { EmbeddingEntry, ModelEntry } from '../models/manifest.ts';

const roles: Readonly<Record<ModelEntry['role'], string>> = {
  detector: 'finds faces in a picture',
  landmarks: 'finds 468 points of a face',
  embedding: 'turns an aligned face into numbers that are compared',
  'second-detector': 'finds the face whose surroundings the passive attack model looks at',
  pad: 'passive presentation attack detection, advisory',
};

const isEmbedding = (entry: ModelEntry): entry is EmbeddingEntry => entry.role === 'embedding';

const figuresOf = (entry: ModelEntry): string[] => {
  if (!isEmbedding(entry)) return ['Measured with the whole chain only (models/README.md, docs/figures.md).'];
  const { calibration: measured } = entry;
  if (measured === undefined) return [`None: not calibrated, refused until \`uketsuke models calibrate ${entry.id}\`.`];
  const { frr, groups, range } = measured;
  return [
    `${measured.date}, ${measured.measuredOn}: ${measured.pictures} pictures of ${measured.people} people, the reference as a card's`,
    `photo; ${measured.genuine} genuine and ${measured.impostor} impostor comparisons. Rates in percent.`,
    '',
    '| | |',
    '|---|---|',
    `| equal error rate | ${measured.eer} |`,
    `| false rejects of one picture at FAR 1e-3, 1e-4 | ${frr['1e-3']}, ${frr['1e-4']} |`,
    `| default threshold (range a release takes) | ${measured.defaultThreshold} (${range.least} to ${range.most}) |`,
    `| false rejects by visit there | ${measured.perVisitFrr} of ${measured.visits} visits of two other pictures |`,
    groups === undefined
      ? '| false accepts of the worst group | not measured |'
      : `| false accepts of the worst group (${groups.worst}) there | ${groups.worstFar} of ${groups.comparisons} comparisons, 95 % bound ${groups.bound} |`,
    `| one run | ${measured.msPerFace} ms of one core where it was measured |`,
    '',
    'A label of names is a poor group and press pictures are not a counter: no rate for a people.',
  ];
};

export const renderModelCard = (entry: ModelEntry): string => {
  const { id, role, source, licence, licenceStatus, trainingData, limits, sha256, input } = entry;
  const fed = `${input.width}×${input.height} ${input.channels}, ${input.layout}, (value − ${input.mean}) / ${input.scale}`;
  return [
    `# ${id}`,
    '',
    '<!-- Drawn from models/manifest.json by `uketsuke models cards`. -->',
    '',
    `- **What it does:** ${roles[role]}.`,
    `- **From:** ${source}.`,
    `- **Licence:** ${licence}. Status: **${licenceStatus}**${licenceStatus === 'clear' ? '' : '; a facility must accept it by name, legal review before sale'}.`,
    `- **Trained on:** ${trainingData}.`,
    `- **Limits:** ${limits}.`,
    `- **File:** sha256 \`${sha256}\`, fed ${fed}.`,
    '',
    '## Figures',
    '',
    ...figuresOf(entry),
    '',
  ].join('\n');
};
