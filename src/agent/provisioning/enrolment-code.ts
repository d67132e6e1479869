import { z } from 'zod';
import { identifier } from '../../wire/messages.ts';

/** What the clinic's PC gives to one terminal: where to enrol, whom to believe, and a secret of one use. */
export const enrolmentCodeSchema = z.strictObject({
  facility: identifier,
  device: identifier,
  lane: z.int().min(1).max(99),
  /** Where the enrolment listens and the broker is: the same machine */
  host: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/),
  enrolmentPort: z.int().min(1).max(65_535),
  brokerPort: z.int().min(1).max(65_535),
  /** 4 (= MQTT 3.1.1): the broker that an agent runs itself speaks no other. Absent: any */
  brokerProtocol: z.literal(4).optional(),
  /** PEM; nobody else is believed */
  facilityCa: z.string().max(4000),
  secret: z.string().regex(/^[\w-]{22}$/),
  /** ms since 1970 */
  until: z.int(),
  /** Cards of a test chain: nobody's data may be at stake */
  test: z.boolean(),
  /** Models of unverified licence that the facility accepted, by the hash of the file that was accepted */
  acceptedModels: z.array(z.strictObject({ id: z.string().max(60), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});
export type EnrolmentCode = z.infer<typeof enrolmentCodeSchema>;
