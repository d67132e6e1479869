import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { asyncapiClient } from './asyncapi-client.ts';
import { asyncapiDocument } from './asyncapi-document.ts';

/**
 * npm run asyncapi: writes docs/asyncapi.yaml from the schemas and topics of src/wire, and docs/examples/clinic-client.ts
 * from that document.
 */
const root = new URL('../../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };

export const renderedDocument = (): string => stringify(asyncapiDocument(version), { aliasDuplicateObjects: false });

/** As the house's style has it. */
export const renderedClient = (document: string): string =>
  execFileSync(
    fileURLToPath(new URL('node_modules/.bin/biome', root)),
    ['format', '--stdin-file-path=scripts/generate/clinic-client.ts'],
    { cwd: root, input: asyncapiClient(parse(document) as ReturnType<typeof asyncapiDocument>), encoding: 'utf8' },
  );

if (import.meta.main) {
  const document = renderedDocument();
  writeFileSync(new URL('docs/asyncapi.yaml', root), document);
  writeFileSync(new URL('docs/examples/clinic-client.ts', root), renderedClient(document));
}
