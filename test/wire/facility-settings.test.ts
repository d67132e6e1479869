import { test } from 'vitest';
import { settingsMessageSchema } from '../../src/wire/messages.ts';
import { expectAlike, todaysProbes } from './published-probes.ts';

test('settings: each field at its bounds and just beyond, as docs/asyncapi.yaml publishes it', () =>
  expectAlike(settingsMessageSchema, todaysProbes('settings')));
