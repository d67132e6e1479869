/** Writes docs/log-events.md from the catalogue: scripts/node scripts/generate/render-log-events.ts > docs/log-events.md */
import { fileURLToPath } from 'node:url';
import { logEvents } from '../../src/log/log-events.ts';

export const renderLogEvents = (): string => {
  const lines = [
    '# What terminal and agent log',
    '',
    'Each line is one event of `src/log/log-events.ts`, from which this page is made',
    '(`scripts/node scripts/generate/render-log-events.ts > docs/log-events.md`). There is no free text: a value that is not of its',
    "field's kind is left out and counted in `log.field-refused`. In service each line is a JSON object with `level`,",
    '`time`, `event` and the fields; `journalctl -u uketsuke -o cat` shows them. States and events of the session:',
    '[states.md](states.md). A field with `?` may be missing.',
    '',
  ];
  const groups = new Map<string, string[]>();
  for (const [name, { level, audience, meaning, fields }] of Object.entries(logEvents)) {
    const shown = Object.entries(fields).map(
      ([field, { shown: kind, optional }]) => `\`${field}\`${optional ? '?' : ''}: ${kind.replaceAll('|', '\\|')}`,
    );
    const group = name.split('.')[0] ?? name;
    groups.set(group, [
      ...(groups.get(group) ?? []),
      `| \`${name}\` | ${level} | ${audience} | ${meaning} | ${shown.join('<br>')} |`,
    ]);
  }
  for (const [group, rows] of groups)
    lines.push(
      `## ${group}`,
      '',
      '| event | level | read by | meaning | fields |',
      '|---|---|---|---|---|',
      ...rows,
      '',
    );
  return lines.join('\n');
};

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(renderLogEvents());
