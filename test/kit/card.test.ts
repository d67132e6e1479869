import { expect, test } from 'vitest';
import { whatIsMissing } from '../../src/cli/kit-card.ts';

test('whoever lacks a package is told the command that brings it, and whoever is not root that they must be', () => {
  expect(whatIsMissing(() => true, true)).toBeNull();
  expect(whatIsMissing(() => true, false)).toContain('needs root');
  expect(whatIsMissing(() => false, true)).toMatch(
    / apt-get install -y --no-install-recommends pcscd vsmartcard-vpcd iproute2$/,
  );
  expect(whatIsMissing((path) => path.startsWith('/usr/'), false)).toMatch(/: sudo apt-get .* vsmartcard-vpcd$/);
});
