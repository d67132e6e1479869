// The words that a technician reads beside a code are no behaviour: nothing branches on them, and no test repeats them. Nor
// is a `default` that the compiler proves to be out of reach (`return event satisfies never`).
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

const firstDetail = {
  failure: 1,
  malformed: 0,
  forged: 0,
  unusable: 0,
  unreadable: 0,
  invalid: 0,
  proofFailed: 0,
  demand: 1,
  tagged: 2,
  sequenceIn: 1,
  parseCanonical: 2,
  Malformed: 0,
  Misshapen: 0,
  Error: 0,
  RangeError: 0,
  TypeError: 0,
};

const isOutOfReach = (path) =>
  path.isSwitchCase() &&
  path.node.test === null &&
  path.node.consequent.some(({ argument }) => argument?.typeAnnotation?.type === 'TSNeverKeyword');

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'diagnoses', {
    shouldIgnore(path) {
      if (isOutOfReach(path)) return 'out of reach by its type';
      if (!path.isStringLiteral() && !path.isTemplateLiteral()) return undefined;
      const call = path.parentPath;
      // A step of a store's form (store-kind.ts): its name is for whoever reads it there.
      const isStep = call?.isObjectProperty() && call.parent.properties.some(({ key }) => key?.name === 'sql');
      if (isStep && call.node.key.name === 'name') return 'name of a step';
      if (!call?.isCallExpression() && !call?.isNewExpression()) return undefined;
      const from = firstDetail[call.node.callee.name];
      return from !== undefined && call.node.arguments.indexOf(path.node) >= from ? 'words of a diagnosis' : undefined;
    },
  }),
];
