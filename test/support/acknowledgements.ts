import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { GOOD_PASSWORD, type Answer, type HttpClient, type Tokens } from './http-client.js';

const RETRY_TIMEOUT_MS = 30_000;
const NEW_PASSWORD = 'granite clouds over the harbour';

/** What one acknowledged response promises, and a check that this is still true. */
interface Expectation {
  readonly what: string;
  readonly holds: (api: HttpClient) => Promise<boolean>;
}

/**
 * Makes acknowledged changes of every kind, and checks later that none of them was lost. The instances must run without rate
 * limits, because the checks try old passwords on purpose.
 */
export class Acknowledgements {
  private readonly promises: Expectation[] = [];

  private constructor(
    private readonly admin: Tokens,
    private readonly adminName: string,
  ) {}

  static async by(api: HttpClient, administrator: string): Promise<Acknowledgements> {
    const { body } = await acknowledged(() => api.login(administrator));
    return new Acknowledgements(body, administrator);
  }

  /** Number of acknowledged changes. */
  get size(): number {
    return this.promises.length;
  }

  /** Makes one change of each kind. @param label names the change in the message of a failed check */
  async add(api: HttpClient, label: string): Promise<void> {
    await Promise.all([
      this.addSessions(api, label),
      this.addPassword(api, label),
      this.addDisabled(api, label),
      this.addRoles(api, label),
      this.addDeleted(api, label),
    ]);
  }

  /** @returns a message for each acknowledged change that was lost */
  async lostChanges(api: HttpClient): Promise<string[]> {
    this.adminIsIn = (await api.ownUser(this.admin.access_token)).status === 200;
    const found: string[] = this.adminIsIn ? [] : [`the session of ${this.adminName} is over`];
    for (const { what, holds } of this.promises) {
      if (!(await holds(api))) {
        found.push(what);
      }
    }
    return found;
  }

  private adminIsIn = true;

  private promise(what: string, holds: Expectation['holds']): void {
    this.promises.push({ what, holds });
  }

  private async addSessions(api: HttpClient, label: string): Promise<void> {
    const { username, tokens: live } = await newcomer(api);
    const profile = { displayName: `Someone ${label}`, email: `${username}@example.com` };
    await acknowledged(() =>
      api.request('PATCH', '/api/user', { token: live.access_token, body: profile }),
    );
    const { body: ended } = await acknowledged(() => api.login(username));
    await acknowledged(() => api.logout(ended.access_token));
    const { body: endedByOther } = await acknowledged(() => api.login(username));
    await acknowledged(() =>
      api.request('DELETE', `/api/user/sessions/${endedByOther.session_id}`, {
        token: live.access_token,
      }),
    );
    let { body: refreshed } = await acknowledged(() => api.login(username));
    refreshed = (await acknowledged(() => api.refresh(refreshed.refresh_token))).body;

    this.promise(
      `${label}: a registered user is gone, or its profile is as before`,
      async (now) => {
        const { status, body } = await now.ownUser(live.access_token);
        return (
          status === 200 &&
          body['displayName'] === profile.displayName &&
          body['email'] === profile.email
        );
      },
    );
    this.promise(`${label}: a refresh token is refused`, async (now) => {
      const { status, body } = await now.refresh(refreshed.refresh_token);
      refreshed = status === 200 ? body : refreshed;
      return status === 200;
    });
    for (const [how, session] of [
      ['a logout', ended],
      ['the end of a session', endedByOther],
    ] as const) {
      this.promise(`${label}: ${how} is undone`, async (now) => isOver(now, session));
    }
  }

  private async addPassword(api: HttpClient, label: string): Promise<void> {
    const { username, tokens } = await newcomer(api);
    const { body: other } = await acknowledged(() => api.login(username));
    await acknowledged(() =>
      api.request('PUT', '/api/user/password', {
        token: tokens.access_token,
        body: { currentPassword: GOOD_PASSWORD, newPassword: NEW_PASSWORD },
      }),
    );
    this.promise(
      `${label}: an old password is valid`,
      async (now) => (await now.login(username)).status === 401,
    );
    this.promise(
      `${label}: a new password is refused`,
      async (now) => (await now.login(username, NEW_PASSWORD)).status === 200,
    );
    this.promise(`${label}: a session that a new password ended is live`, async (now) =>
      isOver(now, other),
    );
  }

  private async addDisabled(api: HttpClient, label: string): Promise<void> {
    const { username, id, tokens } = await newcomer(api);
    await this.change(api, 'PATCH', id, { disabled: true });
    this.promise(`${label}: a disabled user is enabled`, async (now) => {
      return (await isOver(now, tokens)) && (await now.login(username)).status !== 200;
    });
  }

  private async addRoles(api: HttpClient, label: string): Promise<void> {
    const [former, present] = await Promise.all([newcomer(api), newcomer(api)]);
    await this.change(api, 'PATCH', former.id, { roles: ['admin'] });
    await this.change(api, 'PATCH', present.id, { roles: ['admin'] });
    await this.change(api, 'PATCH', former.id, { roles: [] });
    for (const [what, user, status] of [
      ['a former administrator is one again', former, 403],
      ['a new administrator is none', present, 200],
    ] as const) {
      // With a new login, because another change may have ended the existing sessions.
      this.promise(`${label}: ${what}`, async (now) => {
        const { body } = await now.login(user.username);
        const token = body.access_token;
        return (await now.request('GET', `/api/users/${former.id}`, { token })).status === status;
      });
    }
  }

  private async addDeleted(api: HttpClient, label: string): Promise<void> {
    const { username, id, tokens } = await newcomer(api);
    await this.change(api, 'DELETE', id);
    this.promise(`${label}: a deleted user is there`, async (now) => {
      return (await isOver(now, tokens)) && (await now.login(username)).status === 401;
    });
  }

  private async change(api: HttpClient, method: string, id: string, body?: unknown): Promise<void> {
    const token = this.admin.access_token;
    await acknowledged(() => api.request(method, `/api/users/${id}`, { token, body }));
  }
}

async function newcomer(
  api: HttpClient,
): Promise<{ username: string; id: string; tokens: Tokens }> {
  let username = '';
  // With a new name for each attempt, because an unconfirmed registration may have succeeded.
  const { body } = await acknowledged(async () => {
    username = `user-${randomUUID()}`;
    return api.register(username);
  });
  return { username, id: body.id, tokens: (await acknowledged(() => api.login(username))).body };
}

async function isOver(api: HttpClient, { access_token, refresh_token }: Tokens): Promise<boolean> {
  const answers = [await api.ownUser(access_token), await api.refresh(refresh_token)];
  return answers.every(({ status }) => status === 401);
}

/** Retries unconfirmed calls, as the problem document asks clients to do. */
async function acknowledged<Body>(send: () => Promise<Answer<Body>>): Promise<Answer<Body>> {
  const deadline = performance.now() + RETRY_TIMEOUT_MS;
  for (;;) {
    const answer = await send();
    if (answer.status < 300) {
      return answer;
    }
    if (answer.status !== 503 || performance.now() > deadline) {
      throw new Error(`not acknowledged: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    await delay(Number(answer.headers.get('retry-after')) * 1000);
  }
}
