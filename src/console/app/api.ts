/** The routes of the API are relative to the page, which may be behind a path prefix. */
const BASE = new URL('../', document.baseURI);
const RENEW_BEFORE_MS = 30_000;

/** A problem document (RFC 9457), in the language of the page. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly document: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }
}

interface Tokens {
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token: string;
}

/** The access token exists only here, in memory. The refresh token is in a cookie that scripts cannot read. */
let access: { readonly token: string; readonly expiresAt: number } | undefined;
let language = 'en';
let onSessionEnd: () => void = () => undefined;

export function useLanguageOfApi(next: string): void {
  language = next;
}

export function whenSessionEnds(listener: () => void): void {
  onSessionEnd = listener;
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(new URL(path, BASE), {
      method,
      headers: {
        'Accept-Language': language,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiProblem(0, 'unreachable', '', {});
  }
  const text = await response.text();
  const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  if (response.ok) {
    return response.status === 204 ? undefined : json;
  }
  const errors = json['errors'] as readonly { detail: string }[] | undefined;
  const detail = errors?.map((error) => error.detail).join(' ') ?? json['detail'];
  throw new ApiProblem(response.status, String(json['code']), String(detail), json);
}

function keep(tokens: unknown): void {
  const { access_token: token, expires_in: seconds } = tokens as Tokens;
  access = { token, expiresAt: Date.now() + seconds * 1000 };
}

/** Exchanges tokens of the public API for a session of the console. */
export async function adopt(tokens: unknown): Promise<void> {
  const { refresh_token } = tokens as Tokens;
  keep(await send('POST', 'console/session', { refresh_token }));
}

/** One tab at a time, because the tabs share the cookie and each refresh token counts once. @returns whether there is a session */
export async function renew(): Promise<boolean> {
  return navigator.locks.request<Promise<boolean>>('keyslot-console-refresh', async () => {
    const tokens = await send('POST', 'console/session/refresh', {});
    access = undefined;
    if (tokens !== undefined) {
      keep(tokens);
    }
    return tokens !== undefined;
  });
}

let renewal: Promise<boolean> | undefined;

async function renewOnce(): Promise<boolean> {
  renewal ??= renew().finally(() => (renewal = undefined));
  return renewal;
}

export async function signOut(): Promise<void> {
  await send('DELETE', 'console/session');
  access = undefined;
}

/** A call without a token. */
export async function callPublic<Answer>(path: string, body: unknown): Promise<Answer> {
  return (await send('POST', path, body)) as Answer;
}

/** A call in the session. @throws ApiProblem */
export async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  if (access === undefined || access.expiresAt - RENEW_BEFORE_MS < Date.now()) {
    await renewOnce();
  }
  try {
    return (await send(method, path, body, access?.token)) as Answer;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) {
      access = undefined;
      onSessionEnd();
    }
    throw error;
  }
}

export interface User {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly displayName: string | null;
  readonly roles: readonly string[];
  readonly createdAt: string;
  readonly disabled?: boolean;
}

export interface Session {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly current: boolean;
}

export interface Factor {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

export interface AuditEvent {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly result?: string;
  readonly ip?: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}
