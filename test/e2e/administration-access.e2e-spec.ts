import { startAdministration, type Administration } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import type { TestApp } from '../support/test-app.js';

const WRONG = 'not the password at all';

describe('an administrator', () => {
  let api: TestApp;
  let other: Instance;
  let admin: Tokens;
  let adminId: string;
  let asAdmin: Administration['asAdmin'];
  let expectEverywhere: Administration['expectEverywhere'];
  let stop: Administration['stop'];
  beforeAll(async () => {
    ({ api, other, admin, adminId, asAdmin, expectEverywhere, stop } = await startAdministration());
  });
  afterAll(async () => stop());

  const change = async ({ id }: TestUser, body: unknown): Promise<Answer> =>
    asAdmin('PATCH', id, body);
  /** Whether the token may use a route for administrators. */
  const expectAdministration = async (status: number, { access_token }: Tokens): Promise<void> => {
    for (const instance of [other, api]) {
      const options = { token: access_token };
      const answer = await instance.request('GET', `/api/users/${adminId}`, options);
      expect(answer.status).toBe(status);
      expect(answer.body['code']).toBe(status === 403 ? 'forbidden' : undefined);
    }
  };

  it('disables a user at once on every instance; old tokens stay revoked after the user is enabled again (44)', async () => {
    const user = await api.newUser();
    const { body: another } = await api.login(user.username);
    await expectEverywhere(200, user.tokens, another);

    const disabled = await change(user, { disabled: true });

    expect(disabled.body).toMatchObject({ id: user.id, disabled: true });
    const expectDead = async (): Promise<void> => {
      await expectEverywhere(401, user.tokens, another);
      expect((await other.refresh(user.tokens.refresh_token)).status).toBe(401);
      expect((await api.refresh(another.refresh_token)).status).toBe(401);
    };
    await expectDead();
    expect((await other.login(user.username)).status).toBe(401);
    expect((await asAdmin('GET', `${user.id}/sessions`)).body).toEqual({ items: [] });

    expect((await change(user, { disabled: false })).body).toMatchObject({ disabled: false });

    await expectDead();
    const { body: next } = await other.login(user.username);
    await expectEverywhere(200, next);
    // Enabling a user who is already enabled changes nothing.
    await change(user, { disabled: false });
    await expectEverywhere(200, next);
  });

  const expectSameRefusal = (one: Answer<unknown>, two: Answer<unknown>): void => {
    const [first, second] = [one, two].map(({ status, headers, body }) => ({
      status,
      headers: [...headers.keys()],
      length: headers.get('content-length'),
      body: { ...(body as object), requestId: '' },
    }));
    expect(first).toEqual(second);
  };

  it('gives a disabled user the answer for a wrong password (65), and counts the attempt as a failure (68)', async () => {
    const user = await api.newUser();
    await change(user, { disabled: true });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const right = await api.login(user.username);
      expect(right.status).toBe(401);
      expectSameRefusal(right, await api.login(user.username, WRONG));
    }

    const throttled = await api.login(user.username);

    expect(throttled.status).toBe(429);
    expectSameRefusal(throttled, await api.login(user.username, WRONG));
  });

  it('grants and removes roles at once, also for tokens that were issued before (44, 104)', async () => {
    const user = await api.newUser();
    await expectAdministration(403, user.tokens);

    const granted = await change(user, { roles: ['admin', 'admin'] });

    expect(granted.body).toMatchObject({ roles: ['admin'] });
    expect(decode(user.tokens.access_token).payload).toMatchObject({ roles: [] });
    await expectAdministration(200, user.tokens);
    const { body: next } = await other.refresh(user.tokens.refresh_token);
    expect(decode(next.access_token).payload).toMatchObject({ roles: ['admin'] });
    await expectAdministration(200, next);

    expect((await change(user, { roles: [] })).body).toMatchObject({ roles: [] });

    // The roles come from the session, not from the token. The tokens stay valid.
    await expectAdministration(403, user.tokens);
    await expectAdministration(403, next);
    await expectEverywhere(200, user.tokens, next);
  });

  it('cannot remove its own access (104), but can change its other properties', async () => {
    for (const id of [adminId, adminId.toUpperCase()]) {
      const refused = [
        await asAdmin('PATCH', id, { disabled: true }),
        await asAdmin('PATCH', id, { roles: [] }),
        await asAdmin('PATCH', id, { displayName: 'The Boss', roles: [] }),
        await asAdmin('DELETE', id),
      ];
      for (const answer of refused) {
        expect(answer.status).toBe(409);
        expect(answer.body).toMatchObject({ code: 'own-access' });
      }
    }
    const kept = { displayName: null, roles: ['admin'], disabled: false };
    expect((await asAdmin('GET', adminId)).body).toMatchObject(kept);
    await expectEverywhere(200, admin);

    const harmless = { displayName: 'The Boss', roles: ['admin'], disabled: false };
    expect((await asAdmin('PATCH', adminId, harmless)).body).toMatchObject(harmless);
    await expectAdministration(200, admin);
  });
});
