import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderedDocument } from '../../scripts/generate/render-asyncapi.ts';

test('docs/asyncapi.yaml is what the schemas render (npm run asyncapi)', () => {
  expect(readFileSync(new URL('../../docs/asyncapi.yaml', import.meta.url), 'utf8')).toBe(renderedDocument());
});
