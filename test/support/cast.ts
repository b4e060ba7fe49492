import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD, type HttpClient, type TestUser, type Tokens } from './http-client.js';
import type { ExactAnswer, ExactRequest } from './exact-request.js';
import type { Operation } from './openapi.js';
import type { DraftRequest } from './request-arbitrary.js';

/**
 * The senders and the targets of generated requests. Some requests are valid, and end a session or delete a user. Another user
 * then replaces the affected one.
 */
export class Cast {
  private constructor(
    private readonly api: HttpClient,
    /** The administrator who creates others. It sends no generated requests. */
    private readonly root: Tokens,
    /** A user whom no request may change. All senders except administrators name it. */
    readonly victim: TestUser,
    private ordinary: TestUser,
    private administrator: TestUser,
    /** A user whom administrators may change. */
    private target: TestUser,
  ) {}

  static async of(api: HttpClient, rootName: string): Promise<Cast> {
    const { body: root } = await api.login(rootName);
    const [victim, ordinary, target] = [
      await api.newUser(),
      await api.newUser(),
      await api.newUser(),
    ];
    return new Cast(api, root, victim, ordinary, await newAdministrator(api, root), target);
  }

  /** Fills in the users and values of a draft. */
  fillIn({ method, path }: Operation, draft: DraftRequest): ExactRequest {
    const { caller } = draft;
    const user = caller === 'administrator' ? this.administrator : this.ordinary;
    const isAboutUsers = path.startsWith('/api/users/');
    const mayChange = caller === 'administrator' && method !== 'GET';
    const other = mayChange ? this.target : this.victim;
    const id = draft.id
      .replace('@own@', isAboutUsers ? user.id : user.tokens.session_id)
      .replace('@other@', isAboutUsers ? other.id : this.victim.tokens.session_id);
    return {
      method,
      target: path.replace(/\{(?:id|kid|name|secretId)\}/g, () => id) + draft.query,
      fields: [
        ['Host', 'a'],
        ...this.authorizationOf(draft, user),
        ...draft.fields,
        ...(draft.contentType === undefined ? [] : [['Content-Type', draft.contentType] as const]),
      ],
      body: this.bodyOf(draft, user),
    };
  }

  /** Replaces users that a successful request has changed. */
  async recast({ path }: Operation, { caller }: DraftRequest, answer: ExactAnswer): Promise<void> {
    if (path === '/api/refresh') {
      this.ordinary = { ...this.ordinary, tokens: JSON.parse(answer.text) as Tokens };
    }
    const hasNewPassword = path === '/api/user/password';
    const isGone = async (user: TestUser): Promise<boolean> =>
      (await this.api.ownUser(user.tokens.access_token)).status !== 200;
    if ((hasNewPassword && caller === 'ordinary') || (await isGone(this.ordinary))) {
      this.ordinary = await this.api.newUser();
    }
    const isNewTarget = (await this.asAdministrator(this.target)) === 404;
    if (isNewTarget) {
      this.target = await this.api.newUser();
    }
    const isAdministrator = (await this.asAdministrator(this.target)) === 200;
    if ((hasNewPassword && caller === 'administrator') || !isAdministrator) {
      this.administrator = await newAdministrator(this.api, this.root);
    }
  }

  private async asAdministrator({ id }: TestUser): Promise<number> {
    const token = this.administrator.tokens.access_token;
    return (await this.api.request('GET', `/api/users/${id}`, { token })).status;
  }

  private authorizationOf(draft: DraftRequest, user: TestUser): [string, string][] {
    switch (draft.caller) {
      case 'nobody':
        return [];
      case 'stranger':
        return [['Authorization', draft.madeUp]];
      case 'ordinary':
      case 'administrator':
        return [['Authorization', `Bearer ${user.tokens.access_token}`]];
    }
  }

  private bodyOf({ body }: DraftRequest, user: TestUser): Buffer | undefined {
    if (body === undefined || typeof body !== 'string') {
      return body && Buffer.from(body);
    }
    const text = body
      .replaceAll('@password@', GOOD_PASSWORD)
      .replaceAll('@username@', user.username)
      .replaceAll('@refresh_token@', this.ordinary.tokens.refresh_token)
      .replaceAll('@fresh_name@', () => `user-${randomUUID()}`);
    return Buffer.from(text);
  }
}

async function newAdministrator(api: HttpClient, root: Tokens): Promise<TestUser> {
  const user = await api.newUser();
  const options = { token: root.access_token, body: { roles: ['admin'] } };
  await api.request('PATCH', `/api/users/${user.id}`, options);
  return user;
}
