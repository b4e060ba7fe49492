import { randomUUID } from 'node:crypto';

import type { Answer, HttpClient, TestUser } from './http-client.js';
import { tokenIn, type MailServer } from './mail-server.js';

export const FROM = 'Keyslot <no-reply@keyslot.test>';
export const PUBLIC_URL = 'https://accounts.keyslot.test/base';
export const NEW_PASSWORD = 'nine amber foxes sail home';

/** Settings of an instance that sends mails to a test server. */
export function mailVariables(server: MailServer): Record<string, string> {
  return { MAIL_URL: server.url, MAIL_FROM: FROM, PUBLIC_URL };
}

export const newAddress = (): string => `user-${randomUUID().slice(0, 8)}@example.com`;

export interface MailUser extends TestUser {
  readonly email: string;
}

/** A user who has confirmed an e-mail address. */
export async function userWithMail(
  api: HttpClient,
  server: MailServer,
  email = newAddress(),
): Promise<MailUser> {
  const user = await api.newUser();
  const { access_token: token } = user.tokens;
  await expectStatus(api.request('PATCH', '/api/user', { token, body: { email } }), 200);
  const count = server.mailsTo(email).length + 1;
  await expectStatus(api.request('POST', '/api/user/email-verification', { token }), 202);
  const mail = await server.mailTo(email, count);
  await expectStatus(verify(api, tokenIn(mail)), 204);
  return { ...user, email };
}

export async function verify(api: HttpClient, token: string): Promise<Answer> {
  return api.request('POST', '/api/email-verifications', { body: { token } });
}

export async function requestReset(api: HttpClient, body: object): Promise<Answer> {
  return api.request('POST', '/api/password-resets', { body });
}

export async function confirmReset(
  api: HttpClient,
  token: string,
  newPassword = NEW_PASSWORD,
): Promise<Answer> {
  return api.request('POST', '/api/password-resets/confirm', { body: { token, newPassword } });
}

async function expectStatus(answer: Promise<Answer>, status: number): Promise<void> {
  const { status: actual, body } = await answer;
  if (actual !== status) {
    throw new Error(`${status} was expected, not ${actual}: ${JSON.stringify(body)}`);
  }
}
