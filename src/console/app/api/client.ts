/** The routes of the API are relative to the page, which may be behind a path prefix. */
const BASE = new URL('../', document.baseURI);
const RENEW_BEFORE_MS = 30_000;
/** Problems of the access token. Other 401 are about a proof: to present it again would count as one more wrong attempt. */
const OF_THE_TOKEN = ['missing-token', 'invalid-token'];

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
  readonly session_id: string;
}

/** `deleted`: the user has deleted the account. */
export type SessionEnd = 'ended' | 'deleted';

/** The access token exists only here, in memory. The refresh token is in a cookie that scripts cannot read. */
let access: { readonly token: string; readonly expiresAt: number } | undefined;
/** The session of this tab. Another tab may sign in as somebody else, and the tabs share the cookie. */
let sessionId: string | undefined;
let language = 'en';
let onSessionEnd: (cause: SessionEnd) => void = () => undefined;

/** Tells the other tabs of a sign-out, so that they show nothing of the user any longer. */
const signOuts = new BroadcastChannel('keyslot-console-sign-out');
signOuts.addEventListener('message', () => {
  if (sessionId !== undefined) {
    access = undefined;
    onSessionEnd('ended');
  }
});

export function useLanguageOfApi(next: string): void {
  language = next;
}

export function whenSessionEnds(listener: (cause: SessionEnd) => void): void {
  onSessionEnd = listener;
}

async function request(
  method: string,
  path: string,
  {
    body,
    token,
    signal,
  }: { body?: unknown; token?: string | undefined; signal?: AbortSignal } = {},
): Promise<Response> {
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
      ...(signal ? { signal } : {}),
    });
  } catch {
    throw new ApiProblem(0, 'unreachable', '', {});
  }
  if (response.ok) {
    return response;
  }
  throw problemOf(response.status, await response.text());
}

function problemOf(status: number, text: string): ApiProblem {
  try {
    const json = JSON.parse(text) as Record<string, unknown>;
    const errors = json['errors'] as readonly { detail: string }[] | undefined;
    const detail = errors?.map((error) => error.detail).join(' ') ?? json['detail'];
    return new ApiProblem(status, String(json['code']), String(detail), json);
  } catch {
    // Not an answer of the API: of a proxy, for example.
    return new ApiProblem(status, 'unreachable', '', {});
  }
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  token?: string,
  signal?: AbortSignal,
): Promise<unknown> {
  const response = await request(method, path, { body, token, ...(signal ? { signal } : {}) });
  const text = await response.text();
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

function keep(tokens: unknown): void {
  const { access_token: token, expires_in: seconds, session_id } = tokens as Tokens;
  access = { token, expiresAt: Date.now() + seconds * 1000 };
  sessionId = session_id;
}

/** One tab at a time, because the tabs share the cookie and each refresh token counts once. */
async function oneTab<Result>(work: () => Promise<Result>): Promise<Result> {
  return navigator.locks.request<Promise<Result>>('keyslot-console-refresh', work);
}

/** Exchanges tokens of the public API for a session of the console. */
export async function adopt(tokens: unknown): Promise<void> {
  const { refresh_token } = tokens as Tokens;
  await oneTab(async () => keep(await send('POST', 'console/session', { refresh_token })));
}

/** @returns whether there is a session */
export async function renew(): Promise<boolean> {
  return oneTab(async () => {
    const tokens = (await send('POST', 'console/session/refresh', {})) as Tokens | undefined;
    access = undefined;
    if (tokens === undefined) {
      return false;
    }
    if (sessionId !== undefined && tokens.session_id !== sessionId) {
      // What this tab shows, and what it was about to do, belongs to the former session.
      location.reload();
      return false;
    }
    keep(tokens);
    return true;
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
  signOuts.postMessage('');
}

/** A call without a token. */
export async function callPublic<Answer>(path: string, body: unknown): Promise<Answer> {
  return (await send('POST', path, body)) as Answer;
}

/** Adds the token of the session, and renews it when it is old or refused. @throws ApiProblem */
async function authorized<Answer>(
  work: (token: string | undefined) => Promise<Answer>,
): Promise<Answer> {
  if (access === undefined || access.expiresAt - RENEW_BEFORE_MS < Date.now()) {
    await renewOnce();
  }
  const used = access?.token;
  const session = sessionId;
  try {
    return await work(used);
  } catch (error) {
    const isOfTheToken = error instanceof ApiProblem && OF_THE_TOKEN.includes(error.code);
    // In another session, the call would be that of another user.
    if (!isOfTheToken || sessionId !== session) {
      throw error;
    }
    // The session may go on although its token does not count any more: its signing key was withdrawn, for example.
    if (used !== undefined && (access?.token !== used || (await renewOnce()))) {
      return work(access?.token);
    }
    access = undefined;
    onSessionEnd('ended');
    throw error;
  }
}

/** A call in the session. @throws ApiProblem */
export async function call<Answer>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  return authorized(async (token) => (await send(method, path, body, token, signal)) as Answer);
}

/** Deletes the own user, with all sessions. @throws ApiProblem */
export async function deleteAccount(password: string): Promise<void> {
  await call('DELETE', 'api/user', { password });
  // If this fails, the browser keeps a cookie whose refresh token counts nowhere any more.
  await signOut().catch(() => undefined);
  access = undefined;
  onSessionEnd('deleted');
}

/** Opens a stream in the session. A token in a URL would reach logs, so it is not an `EventSource`. @throws ApiProblem */
export async function open(
  path: string,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return authorized(async (token) => (await request('GET', path, { token, signal })).body!);
}
