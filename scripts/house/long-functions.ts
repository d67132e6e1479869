import type { Finding } from './lint-arrows.ts';
import type { ModuleGraph } from './module-graph.ts';

const longestFunctionLines = 70;

/**
 * Functions of more than 70 lines that are read better whole, each with its reason: `file name` → why. No other may be
 * as long; one that has become short leaves the list.
 */
export const readWhole: Readonly<Record<string, string>> = {
  'src/core/visit/session-machine.ts answered': 'the rule book: one switch, a case an event, the compiler asks for all',
  'src/core/visit/session-deadlines.ts deadlinePassed': 'one switch, a case a state that has a deadline',
  'src/core/screen/draw-screen.ts drawState': 'one switch, a case a state: each has exactly one screen',
  'src/terminal/visit/record-visit.ts redact':
    'one switch, a case an event: nothing may pass without having been thought of',
  'src/cli/preview-gallery.ts gallery': 'a list: every screen that there is, in the order of a visit',
  'src/processes/agent.ts startAgent': 'joins the agent: what is begun, in which order, and ended in the reverse',
  'src/agent/staff-page/start-staff-page.ts startStaffPage': 'joins the page: its routes in one table, then the server',
  'scripts/generate/asyncapi-document.ts asyncapiDocument': 'one literal: the document',
  'scripts/screens/screens-in-page.js nameless': 'is handed to the browser as text: it has to bring everything with it',
  'scripts/trials/break-in/clinic-attacks.ts attackBroker': 'a list of attempts, one after the other',
  'scripts/trials/break-in/clinic-attacks.ts attackFolders': 'a list of attempts, one after the other',
  'scripts/trials/misfortune-cases.ts casesOf': 'a list of misfortunes, each with its word and who acts',
  'scripts/trials/misfortune-stores.ts storeCasesOf': 'a list of misfortunes, of the stores',
  'scripts/trials/misfortune-steps.ts stepsWith': 'a list of steps, each a few lines, that share one bed',
};

/** The longest first; tests are outside. */
export const longFunctions = ({ modules }: ModuleGraph) =>
  [...modules]
    .filter(([file]) => !file.startsWith('test/'))
    .flatMap(([file, { functions }]) => functions.map((each) => ({ file, ...each })))
    .filter(({ lines }) => lines > longestFunctionLines)
    .map((each) => ({ ...each, name: each.name || 'nameless' }))
    .sort((a, b) => b.lines - a.lines);

export const checkLongFunctions = (graph: ModuleGraph, known = readWhole): Finding[] => {
  const long = longFunctions(graph);
  const keyOf = ({ file, name }: { readonly file: string; readonly name: string }): string => `${file} ${name}`;
  const unknown = long
    .filter((each) => known[keyOf(each)] === undefined)
    .map(({ file, line, name, lines }) => ({
      ...{ file, line, rule: 'long-function' },
      what: `${name} has ${lines} lines, at most ${longestFunctionLines}: find a name for a part of it`,
    }));
  const short = Object.keys(known)
    .filter((key) => !long.some((each) => keyOf(each) === key))
    .map((key) => ({
      ...{ file: 'scripts/house/long-functions.ts', line: 1, rule: 'long-function' },
      what: `${key} is no longer that long, or no longer there: take it off the list`,
    }));
  return [...unknown, ...short];
};
