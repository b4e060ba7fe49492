import { randomUUID } from 'node:crypto';

import { within } from './within.js';

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly session_id: string;
  readonly expires_in: number;
  readonly token_type: string;
}

export interface TestUser {
  readonly username: string;
  readonly password: string;
  readonly id: string;
  readonly tokens: Tokens;
}

interface RequestOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/**
 * Maximum number of concurrent registrations. With more, an instance would refuse some with 503, because they would wait too
 * long in the hashing queue.
 */
const CONCURRENT_NEW_USERS = 4;

/** An instance answers within five seconds, a paused one after it has continued. */
const ANSWER_TIMEOUT_MS = 30_000;

export const GOOD_PASSWORD = 'violet engines hum at dawn';

/** A client of the API. */
export class HttpClient {
  private readonly newUsers = Array.from({ length: CONCURRENT_NEW_USERS }, async () =>
    Promise.resolve<unknown>(undefined),
  );
  private newUserCount = 0;

  constructor(readonly url: string) {}

  async request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<Answer<Body>> {
    const what = `answer to ${method} ${this.url}${path}`;
    return within(what, ANSWER_TIMEOUT_MS, this.exchange<Body>(method, path, options));
  }

  private async exchange<Body>(
    method: string,
    path: string,
    options: RequestOptions,
  ): Promise<Answer<Body>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : {
            body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body),
          }),
    });
    const text = await response.text();
    const isJson = method !== 'HEAD' && /json/.test(response.headers.get('content-type') ?? '');
    const body = (isJson ? JSON.parse(text) : text) as Body;
    return { status: response.status, headers: response.headers, body };
  }

  async register(username: string, password = GOOD_PASSWORD): Promise<Answer<{ id: string }>> {
    return this.request('POST', '/api/users', { body: { username, password } });
  }

  async login(username: string, password = GOOD_PASSWORD): Promise<Answer<Tokens>> {
    return this.request('POST', '/api/login', { body: { username, password } });
  }

  async refresh(refreshToken: unknown): Promise<Answer<Tokens>> {
    return this.request('POST', '/api/refresh', { body: { refresh_token: refreshToken } });
  }

  async logout(token: string): Promise<Answer> {
    return this.request('POST', '/api/logout', { token });
  }

  /** A registered user who has logged in. */
  async newUser(username = `user-${randomUUID()}`): Promise<TestUser> {
    const lane = (this.newUserCount += 1) % CONCURRENT_NEW_USERS;
    const user = this.newUsers[lane]!.then(async () => this.createUser(username));
    this.newUsers[lane] = user.catch(() => undefined);
    return user;
  }

  private async createUser(username: string): Promise<TestUser> {
    const registered = await this.register(username);
    const login = await this.login(username);
    if (registered.status !== 201 || login.status !== 200) {
      throw new Error(
        `no new user: ${registered.status} at registration, ${login.status} at login`,
      );
    }
    return {
      username,
      password: GOOD_PASSWORD,
      id: registered.body.id,
      tokens: login.body,
    };
  }

  async ownUser(token: string): Promise<Answer> {
    return this.request('GET', '/api/user', { token });
  }
}
