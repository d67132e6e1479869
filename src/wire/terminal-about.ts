import { z } from 'zod';

/** From most to least that is written. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

const uuid = z.uuid();
const times = z.number().int().min(0).max(1_000_000);

/**
 * How a terminal stands, for whoever gave it an order: an order counts as carried out when what it was for can be seen here
 * afterwards, not when it was answered. A hint like all of `state`. Wire 2
 */
export const aboutSchema = z.strictObject({
  /** Of this run of the process: another one after a restart */
  run: uuid,
  /** Of this start of the machine: another one after a reboot */
  boot: uuid.optional(),
  logLevel: z.enum(logLevels),
  /** How often in this run each part has been away and come back */
  returns: z.strictObject({ reader: times, face: times, screen: times }),
  /** The last order whose report was sent: a self-test, a support bundle */
  reported: uuid.optional(),
});
export type TerminalAbout = z.infer<typeof aboutSchema>;
