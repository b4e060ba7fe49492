import { randomUUID } from 'node:crypto';

import type { Answer, HttpClient } from './http-client.js';

export interface TestAccount {
  readonly id: string;
  readonly clientSecret: string;
  readonly secrets: readonly { readonly id: string }[];
}

export interface ClientToken {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope?: string;
}

const PATH = '/api/service-accounts';

/** @param token of a caller who may create the account */
export async function createAccount(
  api: HttpClient,
  token: string,
  members: object = {},
): Promise<TestAccount> {
  const body = { name: `account ${randomUUID()}`, ...members };
  const answer = await api.request<TestAccount>('POST', PATH, { token, body });
  if (answer.status !== 201) {
    throw new Error(`no service account: ${answer.status}`);
  }
  return answer.body;
}

export async function changeAccount(
  api: HttpClient,
  token: string,
  { id }: TestAccount,
  body: object,
): Promise<void> {
  const answer = await api.request('PATCH', `${PATH}/${id}`, { token, body });
  if (answer.status !== 200) {
    throw new Error(`the service account was not changed: ${answer.status}`);
  }
}

/** Sends a form. */
export async function postForm<Body = Record<string, unknown>>(
  api: HttpClient,
  path: string,
  fields: Readonly<Record<string, string>> | string,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return api.request('POST', path, { body, headers: { ...type, ...headers } });
}

/** The header of `client_secret_basic`. */
export function basic({ id, clientSecret }: Pick<TestAccount, 'id' | 'clientSecret'>): {
  authorization: string;
} {
  return { authorization: `Basic ${Buffer.from(`${id}:${clientSecret}`).toString('base64')}` };
}

export async function requestToken(
  api: HttpClient,
  account: TestAccount,
  fields: Readonly<Record<string, string>> = {},
): Promise<Answer<ClientToken>> {
  const form = { grant_type: 'client_credentials', ...fields };
  return postForm(api, '/oauth/token', form, basic(account));
}

/** @returns an access token of the account */
export async function tokenOf(
  api: HttpClient,
  account: TestAccount,
  fields: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { status, body } = await requestToken(api, account, fields);
  if (status !== 200) {
    throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
  }
  return body.access_token;
}
