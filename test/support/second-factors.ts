import { Secret, TOTP } from 'otpauth';

import { GOOD_PASSWORD, type HttpClient, type TestUser, type Tokens } from './http-client.js';
import { SoftwarePasskey } from './software-passkey.js';

export interface Enrolment {
  readonly id: string;
  readonly secret: string;
  readonly uri: string;
  readonly qr: string;
}

export interface Challenge {
  readonly code: string;
  readonly challenge: string;
  readonly factors: readonly string[];
}

const STEP_MS = 30_000;

/** The codes of this step and the next two. The first two are accepted once each, in this order, if the test takes less than a step. */
export function codesOf(secret: string): [string, string, string] {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const now = Date.now();
  const at = (timestamp: number): string => totp.generate({ timestamp });
  return [at(now), at(now + STEP_MS), at(now + 2 * STEP_MS)];
}

export async function enrol(api: HttpClient, tokens: Tokens): Promise<Enrolment> {
  const { access_token: token } = tokens;
  const answer = await api.request<Enrolment>('POST', '/api/user/factors/totp', { token });
  expect(answer.status).toBe(201);
  return answer.body;
}

/** Adds an authenticator application to a user. @returns its id, and the codes that it shows next */
export async function addTotp(
  api: HttpClient,
  tokens: Tokens,
): Promise<{ readonly id: string; readonly codes: string[] }> {
  const { id, secret } = await enrol(api, tokens);
  const [code, ...codes] = codesOf(secret);
  const { access_token: token } = tokens;
  const options = { token, body: { id, code } };
  const answer = await api.request('POST', '/api/user/factors/totp/confirm', options);
  expect(answer.status).toBe(204);
  return { id, codes };
}

/**
 * Adds a passkey to a user.
 *
 * @param url `PUBLIC_URL` of the API
 */
export async function addPasskey(
  api: HttpClient,
  { id: userId, tokens }: Pick<TestUser, 'id' | 'tokens'>,
  url: string,
  name?: string,
): Promise<{ readonly id: string; readonly passkey: SoftwarePasskey }> {
  const { access_token: token } = tokens;
  const path = '/api/user/factors/passkeys';
  const passkey = new SoftwarePasskey(
    new URL(url).origin,
    Buffer.from(userId).toString('base64url'),
  );
  const options = await api.request<{ challenge: string }>('POST', `${path}/options`, { token });
  const body = { ...passkey.created(options.body.challenge), name };
  const answer = await api.request<{ id: string }>('POST', path, { token, body });
  expect(answer.status).toBe(201);
  return { id: answer.body.id, passkey };
}

/** The first step of a login of a user with a second factor. */
export async function challengeOf(api: HttpClient, username: string): Promise<Challenge> {
  const answer = await api.request<Challenge>('POST', '/api/login', {
    body: { username, password: GOOD_PASSWORD },
  });
  expect(answer).toMatchObject({ status: 403, body: { code: 'second-factor-required' } });
  return answer.body;
}

export async function newRecoveryCodes(api: HttpClient, tokens: Tokens): Promise<string[]> {
  const { access_token: token } = tokens;
  const answer = await api.request<{ codes: string[] }>(
    'POST',
    '/api/user/factors/recovery-codes',
    {
      token,
    },
  );
  expect(answer.status).toBe(201);
  return answer.body.codes;
}
