import { hash } from 'node:crypto';

/** SHA-256 of a signed document's bytes, base64url: what receipts name, and what both ends know a document by. */
export const hashOf = (document: Uint8Array): string => hash('sha256', document, 'base64url');
