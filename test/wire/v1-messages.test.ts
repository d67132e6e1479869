import { test } from 'vitest';
import { topicLeaves } from '../../src/wire/topics.ts';
import { v1Schemas } from '../../src/wire/v1-messages.ts';
import { expectAlike, firstReleaseProbes } from './published-probes.ts';

test.each(topicLeaves)(
  '%s of version 1: each field at its bounds and just beyond, as its release published it',
  (leaf) => expectAlike(v1Schemas[leaf], firstReleaseProbes(leaf)),
);
