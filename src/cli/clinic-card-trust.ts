import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cardTrustFiles, parseCardTrust, readCardTrust } from '../agent/provisioning/card-trust.ts';
import { makeTestCardTrust } from '../agent/provisioning/test-card-trust.ts';
import { clinicPlaces, exists } from './provision-places.ts';

export const cardTrustPlace = join(clinicPlaces.agent, 'card-trust');

/** `texts` null: the chains that are there stay. */
export type ChosenChains = {
  readonly texts: { readonly certificateIssuersPem: string; readonly cvIssuersJson: string } | null;
  readonly isTest: boolean;
};

/**
 * The anchors of a folder that somebody named. Throws when they are a test's and no trial was asked for, or the other way
 * round: a trial believes no card of a real person.
 */
export const chainsFrom = async (directory: string, test: boolean): Promise<NonNullable<ChosenChains['texts']>> => {
  const certificateIssuersPem = await readFile(join(directory, cardTrustFiles.certificateIssuers), 'utf8');
  const cvIssuersJson = await readFile(join(directory, cardTrustFiles.visualIssuers), 'utf8');
  const { isTest } = parseCardTrust(certificateIssuersPem, cvIssuersJson);
  if (isTest && !test)
    throw new Error(`${directory}: a chain of test cards, which anybody can make; a facility at work has J-LIS's`);
  if (test && !isTest)
    throw new Error(`${directory}: a chain of real cards: --test is a trial, in which no card of a real person counts`);
  return { certificateIssuersPem, cvIssuersJson };
};

type Options = { readonly cardTrust?: string; readonly test?: true };

/** Whose cards this clinic takes, before anything is made. Throws when nobody said it, or a test's where none was asked for. */
export const chooseChains = async ({ cardTrust, test }: Options): Promise<ChosenChains> => {
  if (cardTrust !== undefined) return { texts: await chainsFrom(cardTrust, test === true), isTest: test === true };
  if (await exists(join(cardTrustPlace, cardTrustFiles.certificateIssuers))) {
    const { isTest } = await readCardTrust(cardTrustPlace);
    if (test && !isTest)
      throw new Error('this clinic takes real cards: for a trial with test cards, --test with --card-trust DIR');
    return { texts: null, isTest };
  }
  if (!test)
    throw new Error(
      '--card-trust DIR is missing: card-ca.pem and cv-issuers.json, which the facility has from J-LIS. For a trial with test cards: --test',
    );
  return { texts: await makeTestCardTrust(), isTest: true };
};
