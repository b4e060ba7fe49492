import type { JsonWebKey, KeyObject } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { SigningKeys } from '../../src/keys/index.js';

import { decode, signEs256 } from './forge.js';
import type { TestUser } from './http-client.js';
import { startTestApp, type TestApp } from './test-app.js';

export type Json = Record<string, unknown>;

/**
 * A user with a valid token, and the real signing key. A forged token can therefore differ from a valid one in a single
 * property.
 */
export interface Victim {
  readonly api: TestApp;
  readonly user: TestUser;
  readonly token: string;
  readonly header: Json;
  readonly payload: Json;
  readonly key: KeyObject;
  readonly signed: (change: { header?: Json; payload?: Json }) => string;
  readonly signedWithout: (part: 'header' | 'payload', member: string) => string;
  /** The published key. */
  readonly publishedKey: () => Promise<JsonWebKey & { kid: string }>;
  /** Asserts that the forgery is refused, without a reason in the response. */
  readonly expectRefused: (forged: string) => Promise<void>;
  /** Asserts that a refused forgery does not affect the valid token (20). */
  readonly expectStillAccepted: () => Promise<void>;
}

export async function startWithVictim(): Promise<Victim> {
  const api = await startTestApp();
  const user = await api.newUser('victim');
  const token = user.tokens.access_token;
  const { header, payload } = decode(token);
  const { privateKey: key } = await api.app.get(SigningKeys).current(Deadline.none);
  return {
    api,
    user,
    token,
    header,
    payload,
    key,
    signed: (change) =>
      signEs256({ ...header, ...change.header }, { ...payload, ...change.payload }, key),
    signedWithout: (part, member) => {
      const copies = { header: { ...header }, payload: { ...payload } };
      delete copies[part][member];
      return signEs256(copies.header, copies.payload, key);
    },
    publishedKey: async () => {
      const { body } = await api.request<{ keys: (JsonWebKey & { kid: string })[] }>(
        'GET',
        '/.well-known/jwks.json',
      );
      return body.keys[0]!;
    },
    expectRefused: async (forged) => {
      const answer = await api.ownUser(forged);
      expect({ forged, status: answer.status }).toEqual({ forged, status: 401 });
      expect(answer.body).toMatchObject({ code: 'invalid-token' });
    },
    expectStillAccepted: async () => expect((await api.ownUser(token)).status).toBe(200),
  };
}
