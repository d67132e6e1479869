/** Writes docs/faults.md from the table of faults: scripts/node scripts/generate/render-faults.ts > docs/faults.md */
import { faultNames, faultOf, partyOfFault } from '../../src/catalogue/faults.ts';

const titles: Readonly<Record<string, string>> = {
  technician: 'Technicians act',
  staff: 'Staff act',
  patient: 'Patients act',
};

const row = (name: (typeof faultNames)[number]): string => {
  const { weight, cause, remedy } = faultOf(name);
  const cells = [
    `\`${name}\`${weight === 'warning' ? ' (served still)' : ''}`,
    partyOfFault(name) ?? 'not known',
    cause,
    remedy.join('<br>'),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
};

export const renderFaults = (): string =>
  [
    '# What can be wrong, by name',
    '',
    'One word everywhere: on the terminal, the staff page, in the log, in `uketsuke doctor` and here. Made from the table of',
    '`src/catalogue/faults.ts` (`scripts/node scripts/generate/render-faults.ts > docs/faults.md`); the words for staff are on',
    'their page, those for patients on the screen. `whose`: as `src/core/party.ts` has it, told on the screen, the staff page and',
    'by the doctor of a terminal.',
    ...Object.entries(titles).flatMap(([actor, title]) => [
      '',
      `## ${title}`,
      '',
      '| fault | whose | why | what helps, the likeliest first |',
      '|---|---|---|---|',
      ...faultNames
        .filter((name) => faultOf(name).actor === actor)
        .toSorted()
        .map(row),
    ]),
    '',
  ].join('\n');

if (process.argv[1] === import.meta.filename) process.stdout.write(renderFaults());
