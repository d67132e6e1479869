import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { asyncapiDocument } from './asyncapi-document.ts';

/** npm run asyncapi: writes docs/asyncapi.yaml from the schemas and topics of src/protocol. */
const root = new URL('../../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
writeFileSync(
  new URL('docs/asyncapi.yaml', root),
  stringify(asyncapiDocument(version), { aliasDuplicateObjects: false }),
);
