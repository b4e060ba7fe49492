import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { connectKeyslot, type Keyslot } from '../../src/guard/index.js';
import { startDeployment, WITH_ADMINISTRATOR, type Deployment } from '../support/deployment.js';
import type { Answer, HttpClient, TestUser, Tokens } from '../support/http-client.js';
import { addTotp, challengeOf } from '../support/second-factors.js';
import { basic, createAccount, postForm, type TestAccount } from '../support/service-accounts.js';
import { testVariables } from '../support/test-variables.js';

const NEEDED = { status: 403, body: { code: 'second-factor-enrolment-required' } };
/** What a user who has to add a factor can do. */
const ALLOWED = [
  'getOwnUser',
  'listOwnFactors',
  'addTotp',
  'confirmTotp',
  'addPasskeyOptions',
  'addPasskey',
  'createRecoveryCodes',
  'removeOwnFactor',
  'reauthenticate',
];

interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
}

describe('a role that requires a second factor', () => {
  let deployment: Deployment;
  let api: HttpClient;
  let other: HttpClient;
  let root: Tokens;
  let service: Keyslot;
  let asking: TestAccount;
  beforeAll(async () => {
    deployment = await startDeployment(WITH_ADMINISTRATOR);
    ({ api, other } = deployment);
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body;
    asking = await createAccount(api, root.access_token);
    const { REDIS_NODES, REDIS_USERNAME, REDIS_PASSWORD } = testVariables({});
    const redis = {
      nodes: REDIS_NODES!.split(','),
      username: REDIS_USERNAME!,
      password: REDIS_PASSWORD!,
      keyPrefix: deployment.api.keyPrefix,
    };
    service = await connectKeyslot({ redis, audience: 'keyslot' });
  });
  afterAll(async () => {
    await service.close();
    await deployment.stop();
  });

  const putRole = async (
    body: object,
    name = 'clerk',
    { access_token: token }: Tokens = root,
  ): Promise<Answer> => other.request('PUT', `/api/roles/${name}`, { token, body });
  const give = async (user: TestUser, ...roles: string[]): Promise<void> => {
    const options = { token: root.access_token, body: { roles } };
    expect((await api.request('PATCH', `/api/users/${user.id}`, options)).status).toBe(200);
  };
  const clerk = async (): Promise<TestUser> => {
    const user = await api.newUser();
    await give(user, 'clerk');
    return user;
  };
  /** On both instances, in a service, and by introspection. */
  const expectAccess = async (isAllowed: boolean, { access_token: token }: Tokens) => {
    for (const at of [other, api]) {
      const answer = await at.request('GET', '/api/user/sessions', { token });
      expect(answer).toMatchObject(isAllowed ? { status: 200 } : NEEDED);
      const { body } = await postForm(at, '/oauth/introspect', { token }, basic(asking));
      expect(body['active']).toBe(isAllowed);
    }
    const inService = service.authenticateToken(token).then(
      () => 200,
      ({ code }: { readonly code: string }) => code,
    );
    expect(await inService).toBe(isAllowed ? 200 : NEEDED.body.code);
  };

  it('lets users without one add one and nothing else, everywhere and at once (104)', async () => {
    expect((await putRole({ permissions: ['users:read'] })).status).toBe(204);
    const user = await clerk();
    await expectAccess(true, user.tokens);

    const permissions = ['users:read'];
    expect((await putRole({ permissions, requireSecondFactor: true })).status).toBe(204);

    await expectAccess(false, user.tokens);
    expect((await other.ownUser(user.tokens.access_token)).status).toBe(200);
    const { body: tokens } = await api.login(user.username);
    await expectAccess(false, tokens);
    const { body: refreshed } = await other.refresh(tokens.refresh_token);
    await expectAccess(false, refreshed);
    expect((await api.logout(refreshed.access_token)).status).toBe(204);

    const { id, codes } = await addTotp(other, user.tokens);
    await expectAccess(true, user.tokens);
    const { challenge } = await challengeOf(api, user.username);
    const body = { challenge, code: codes[0] };
    const login = await api.request<Tokens>('POST', '/api/login/second-factor', { body });
    await expectAccess(true, login.body);

    // Without the last factor, the rule applies again at once.
    const options = { token: user.tokens.access_token };
    expect((await api.request('DELETE', `/api/user/factors/${id}`, options)).status).toBe(204);
    await expectAccess(false, user.tokens);
    await give(user);
    await expectAccess(true, user.tokens);
    await give(user, 'clerk');
    await expectAccess(false, user.tokens);

    // A change that does not name the rule keeps it.
    expect((await putRole({ permissions: [] })).status).toBe(204);
    await expectAccess(false, user.tokens);
    expect((await putRole({ permissions, requireSecondFactor: false })).status).toBe(204);
    await expectAccess(true, user.tokens);
    expect((await putRole({ permissions })).status).toBe(204);
    await expectAccess(true, user.tokens);
  });

  it('refuses every route except those that the user needs', async () => {
    const user = await clerk();
    const { access_token: token } = user.tokens;
    expect((await putRole({ permissions: ['users:read'], requireSecondFactor: true })).status).toBe(
      204,
    );
    const { body: document } = await api.request<{
      readonly paths: Record<string, Record<string, Operation>>;
    }>('GET', '/docs-json');
    const allowed: string[] = [];

    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { operationId, security = [] }] of Object.entries(operations)) {
        const isPublic = security.some((way) => Object.keys(way).length === 0);
        if (!isPublic && !path.startsWith('/oauth/')) {
          const url = path.replace(/\{[^}]+\}/g, user.id);
          const hasBody = method !== 'get';
          const options = hasBody ? { token, body: {} } : { token };
          const answer = await api.request(method.toUpperCase(), url, options);
          if (answer.body['code'] === NEEDED.body.code) {
            expect(answer.status).toBe(403);
          } else {
            allowed.push(operationId);
          }
        }
      }
    }

    expect(allowed.sort()).toEqual([...ALLOWED].sort());
  });

  it('can be the administrator, but only an administrator can say so', async () => {
    const helper = await api.newUser();
    const permissions = ['roles:read', 'roles:write'];
    expect((await putRole({ permissions }, 'helper')).status).toBe(204);
    await give(helper, 'helper');
    const required = { requireSecondFactor: true };

    for (const body of [{ permissions }, { permissions, ...required }]) {
      expect(await putRole(body, 'admin')).toMatchObject({ body: { code: 'built-in-role' } });
    }
    expect(await putRole({}, 'admin')).toMatchObject({
      body: { errors: [{ pointer: '/requireSecondFactor', code: 'missing' }] },
    });
    expect(await putRole(required, 'Admin')).toMatchObject({ body: { code: 'built-in-role' } });
    expect(await putRole(required, 'new')).toMatchObject({
      body: { errors: [{ pointer: '/permissions', code: 'missing' }] },
    });
    expect(await putRole(required, 'admin', helper.tokens)).toMatchObject({
      status: 403,
      body: { code: 'beyond-own-permissions' },
    });
    await expectAccess(true, root);

    expect((await putRole(required, 'admin')).status).toBe(204);

    await expectAccess(false, root);
    await addTotp(api, root);
    await expectAccess(true, root);
    const { access_token: token } = root;
    expect(await other.request('GET', '/api/roles/admin', { token })).toMatchObject({
      body: { source: 'built-in', requireSecondFactor: true },
    });
    const audited = await deployment.other.audited('role-changed');
    expect(audited).toContainEqual(
      expect.objectContaining({ details: { role: 'admin', permissions: [], ...required } }),
    );
    const refused = await deployment.other.audited('permission-refused');
    expect(refused).toContainEqual(
      expect.objectContaining({ reason: 'missing-second-factor', userId: expect.any(String) }),
    );
    expect((await putRole({ requireSecondFactor: false }, 'admin')).status).toBe(204);
  });

  it('does not lock out the last administrator: the operator removes lost factors', async () => {
    const username = WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME;
    // The test above has added a factor to the administrator.
    await challengeOf(api, username);
    await expectAccess(true, root);
    const run = async (name: string): Promise<string> => {
      const variables = testVariables({
        REDIS_KEY_PREFIX: deployment.api.keyPrefix,
        LOG_LEVEL: 'info',
      });
      const env = { PATH: process.env['PATH'], ...variables };
      const args = [resolve('dist/cli.js'), 'users', 'remove-factors', name];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tmpdir(), env });
      return stdout;
    };

    await expect(run('nobody-here')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no such user.'),
    });
    const output = await run(username.toUpperCase());

    expect(output).toContain('Removed the second factors of the user');
    expect(output).toMatch(
      /"type":"factors-removed".*"actor":"operator"|"actor":"operator".*"type":"factors-removed"/,
    );
    expect((await other.ownUser(root.access_token)).status).toBe(401);
    expect((await other.login(username)).status).toBe(200);
  });
});
