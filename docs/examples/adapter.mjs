// A template for an adapter of the official software: it answers the eligibility-service port in a process of its own.
// One line of JSON a call on standard input, one line an answer on standard output, in any order; logs go to standard
// error. Adapter.cs is the same in C#, for the 資格確認端末. Where the three functions below look into a table, call the
// official software.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const people = JSON.parse(readFileSync(new URL('./adapter-people.json', import.meta.url), 'utf8'));
const known = [people.registered, people.other, people.unregistered];
const registered = new Set([people.registered.certificateSerial, people.other.certificateSerial]);
const charts = new Map();

const failed = (code) => ({ ok: false, code });
const digits = (text) => text.normalize('NFKC').trim().replace(/^0+/, '');
const byCard = ({ certificateSerial }) => known.find((one) => one.certificateSerial === certificateSerial);
const byNumber = ({ insurerNumber, insuredIdentificationNumber, birthdate }) =>
  known.find(
    ({ inquiry, birthdate: own }) =>
      digits(inquiry.insurerNumber) === digits(insurerNumber) &&
      digits(inquiry.insuredIdentificationNumber) === digits(insuredIdentificationNumber) &&
      (birthdate === undefined || birthdate === own),
  );
const answerAbout = (one) => ({
  ...{ birthdate: one.birthdate, sex: '3', certificateStatus: 'good', qualificationValidity: 1 },
  ...{ consentSituation: 'at-counter', referenceNumber: charts.get(one.certificateSerial) ?? '', qualifications: [] },
});

const calls = {
  lookup: ({ card }) => {
    const one = byCard(card);
    if (one === undefined) return failed('eligibility.not-found');
    const isRegistered = registered.has(one.certificateSerial);
    return {
      ok: true,
      value: {
        ...{ registered: isRegistered ? 'yes' : 'no', certificateStatus: 'good', medicalSubsidy: false },
        ...{ pendingDocuments: [], waitingPrescriptions: [], person: { birthdate: one.birthdate, sex: '3' } },
      },
    };
  },
  register: ({ card }) => {
    const one = byCard(card);
    if (one === undefined) return failed('eligibility.not-found');
    registered.add(one.certificateSerial);
    return { ok: true };
  },
  check: ({ card }) => {
    const one = byCard(card);
    if (one === undefined) return failed('eligibility.not-found');
    return registered.has(one.certificateSerial)
      ? { ok: true, value: answerAbout(one) }
      : failed('eligibility.not-registered');
  },
  inquire: ({ inquiry }) => {
    const one = byNumber(inquiry);
    return one === undefined ? failed('eligibility.not-found') : { ok: true, value: answerAbout(one) };
  },
  registerReference: ({ inquiry, referenceNumber }) => {
    const one = byNumber(inquiry);
    if (one === undefined) return failed('eligibility.not-found');
    charts.set(one.certificateSerial, referenceNumber);
    return { ok: true };
  },
  isReached: () => ({ ok: true, value: true }),
};

/** A check asks the official software, which takes seconds: others are answered meanwhile. */
const answer = async ({ id, call, ...args }) => {
  if (call === 'check') await new Promise((resolve) => setTimeout(resolve, 50));
  const said = Object.hasOwn(calls, call) ? calls[call](args) : failed('eligibility.unavailable');
  process.stdout.write(`${JSON.stringify({ id, ...said })}\n`);
};

createInterface({ input: process.stdin }).on('line', (line) => {
  try {
    const asked = JSON.parse(line);
    if (Number.isInteger(asked.id)) void answer(asked);
  } catch {
    process.stderr.write('a line that is no JSON is passed over\n');
  }
});
