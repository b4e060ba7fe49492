import { writeFileSync } from 'node:fs';

import { PASSWORD, type SeededSession } from './seeded-session.js';

/** A request of the load, in the form that wrk sends it. */
export interface LoadRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  /** One complete header line: the credential. */
  readonly header?: string;
  readonly body?: unknown;
  /** The fields of a form, instead of a body in JSON. */
  readonly form?: Readonly<Record<string, string>>;
}

/** Writes requests in the format that `requests.lua` reads. */
export function writeRequests(file: string, requests: readonly LoadRequest[]): void {
  writeFileSync(file, `${requests.map(lineOf).join('\n')}\n`);
}

function lineOf({ method = 'GET', path, header = '', body, form }: LoadRequest): string {
  const json = body === undefined ? '' : JSON.stringify(body);
  return [method, path, header, form ? new URLSearchParams(form).toString() : json].join('\t');
}

export const ownUser = (header: string): LoadRequest => ({ path: '/api/user', header });

export const login = ({ username }: SeededSession): LoadRequest => ({
  method: 'POST',
  path: '/api/login',
  body: { username, password: PASSWORD },
});

export const refresh = ({ refreshToken }: SeededSession): LoadRequest => ({
  method: 'POST',
  path: '/api/refresh',
  body: { refresh_token: refreshToken },
});

/** Changes the display name and not the e-mail address, which would end all other sessions. */
export const rename = ({ header }: SeededSession, displayName: string): LoadRequest => ({
  method: 'PATCH',
  path: '/api/user',
  header,
  body: { displayName },
});
