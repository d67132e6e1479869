import { listenForEnrolments, offerEnrolment } from '../../src/agent/provisioning/enrolment.ts';

/*
 * The clinic's end while it waits for a terminal, for trials that attack it: `node enrolling-clinic.ts FACILITY-DIRECTORY`
 * prints one JSON line, its port and the secret of the
 * code for terminal-07, and runs until it is ended.
 */
const [directory = ''] = process.argv.slice(2);
const secret = await offerEnrolment(directory, { device: 'terminal-07', lane: 7, until: Date.now() + 3_600_000 });
const { port } = await listenForEnrolments(directory, {}, { host: '127.0.0.1', port: 0 }, async () => {});
process.stdout.write(`${JSON.stringify({ port, secret })}\n`);
