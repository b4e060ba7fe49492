import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AUDIT_EVENTS } from '../../src/audit/index.js';
import { asOperator, runCommand } from '../support/command.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import { GOOD_PASSWORD, type Answer, type TestUser, type Tokens } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { runKeysCommand } from '../support/keys-command.js';
import { backdateSpentTokens } from '../support/kept-answers.js';
import { newPrefix } from '../support/near-cache.js';
import { codeSpans, tableWith } from '../support/markdown.js';
import {
  addTotp,
  challengeOf,
  codesOf,
  enrol,
  newRecoveryCodes,
} from '../support/second-factors.js';
import {
  basic,
  createAccount,
  postForm,
  tokenOf,
  type TestAccount,
} from '../support/service-accounts.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import {
  confirmReset,
  mailVariables,
  newAddress,
  requestReset,
  userWithMail,
} from '../support/mails.js';

type Event = Record<string, unknown>;

/** A request, its expected status, and the expected audit events besides request id and address. */
interface Caused {
  readonly answer: Answer<unknown>;
  readonly status: number;
  readonly expected: readonly Event[];
}

const ADDRESS = '203.0.113.7';
const FORWARDED = { 'x-forwarded-for': ADDRESS };
const UUID = /^[0-9a-f-]{36}$/;
const WRONG = 'not the password at all';

describe('the audit events (89)', () => {
  const variables = {
    LOG_LEVEL: 'info',
    REDIS_KEY_PREFIX: newPrefix(),
    TRUSTED_PROXIES: '127.0.0.1',
    ...WITH_ADMINISTRATOR,
  };
  let api: Instance;
  let closed: Instance;
  let admin: Tokens;
  let adminId: string;
  beforeAll(async () => {
    api = await Instance.start(variables);
    closed = await Instance.start({ ...variables, REGISTRATION: 'closed' });
    admin = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body;
    adminId = String((await api.ownUser(admin.access_token)).body['id']);
  });
  afterAll(async () => Promise.all([api.stop(), closed.stop()]));

  const call = async (
    method: string,
    path: string,
    { token, body, at = api }: { token?: string; body?: unknown; at?: Instance } = {},
  ): Promise<Answer> =>
    at.request(method, path, {
      headers: FORWARDED,
      ...(token === undefined ? {} : { token }),
      ...(body === undefined ? {} : { body }),
    });
  const asUser = (user: Pick<TestUser, 'id' | 'tokens'>) =>
    ({
      userId: user.id,
      actor: 'user',
      actorId: user.id,
      actorSessionId: user.tokens.session_id,
    }) as const;
  const asAdmin = (userId: string) => ({ userId, ...byAdminSession() }) as const;
  const anonymous = { actor: 'anonymous' } as const;
  const byAdmin = async (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(method, `/api/users/${path}`, { token: admin.access_token, body });
  /** For events without a user as the subject. */
  const byAdminSession = () =>
    ({ actor: 'user', actorId: adminId, actorSessionId: admin.session_id }) as const;
  const roleByAdmin = async (method: string, name: string, body?: unknown): Promise<Answer> =>
    call(method, `/api/roles/${name}`, { token: admin.access_token, body });
  const accountByAdmin = async (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(method, `/api/service-accounts${path}`, { token: admin.access_token, body });
  const account = async (): Promise<TestAccount> => createAccount(api, admin.access_token);
  const form = async (
    path: string,
    fields: Readonly<Record<string, string>>,
    client: Pick<TestAccount, 'id' | 'clientSecret'>,
  ): Promise<Answer> => postForm(api, path, fields, { ...FORWARDED, ...basic(client) });
  const success = (clientId: string) =>
    ({ result: 'success', ...byAdminSession(), clientId }) as const;
  const byClient = ({ id }: TestAccount) =>
    ({ result: 'success', actor: 'client', actorId: id, clientId: id }) as const;
  const login = async (username: string, password: string): Promise<Answer> =>
    call('POST', '/api/login', { body: { username, password } });
  const secondStep = async (body: object): Promise<Answer> =>
    call('POST', '/api/login/second-factor', { body });
  const refresh = async (token: string): Promise<Answer> =>
    call('POST', '/api/refresh', { body: { refresh_token: token } });
  const pseudonym = expect.stringMatching(/^[\w-]{43}$/) as unknown as string;
  const text = expect.stringMatching(UUID) as unknown as string;
  const registering = { username: `new-${randomUUID()}`, password: GOOD_PASSWORD };

  const causes: Record<string, () => Promise<Caused>> = {
    'a registration': async () => {
      const answer = await call('POST', '/api/users', { body: registering });
      const userId = String(answer.body['id']);
      const expected = {
        type: 'user-registered',
        result: 'success',
        userId,
        ...anonymous,
        details: { roles: [] },
      } as const;
      return { answer, status: 201, expected: [expected] };
    },
    'a registration of a name that is taken': async () => {
      const { username, password } = await api.newUser();
      const answer = await call('POST', '/api/users', { body: { username, password } });
      const refused = { type: 'registration-refused', result: 'refused' } as const;
      const expected = { ...refused, reason: 'username-taken', namePseudonym: pseudonym };
      return { answer, status: 409, expected: [{ ...expected, ...anonymous }] };
    },
    'a registration where it is closed': async () => {
      const answer = await call('POST', '/api/users', { body: registering, at: closed });
      const refused = { type: 'registration-refused', result: 'refused' } as const;
      const expected = { ...refused, reason: 'registration-closed', ...anonymous };
      return { answer, status: 403, expected: [expected] };
    },
    'a login': async () => {
      const user = await api.newUser();
      const answer = await login(user.username, user.password);
      const sessionId = String(answer.body['session_id']);
      const subject = { userId: user.id, sessionId, actorSessionId: sessionId };
      const actor = { actor: 'user', actorId: user.id } as const;
      const expected = { type: 'logged-in', result: 'success', ...subject, ...actor } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'a login with a wrong password': async () => {
      const user = await api.newUser();
      const answer = await login(user.username, WRONG);
      const expected = { ...refusedLogin(), userId: user.id };
      return { answer, status: 401, expected: [expected] };
    },
    'a login with an unknown name': async () => {
      const answer = await login(`nobody-${randomUUID()}`, WRONG);
      return { answer, status: 401, expected: [refusedLogin()] };
    },
    'a login of a disabled user': async () => {
      const user = await api.newUser();
      await byAdmin('PATCH', user.id, { disabled: true });
      const answer = await login(user.username, user.password);
      return { answer, status: 401, expected: [{ ...refusedLogin(), userId: user.id }] };
    },
    'a login that is throttled': async () => {
      const username = `nobody-${randomUUID()}`;
      for (let count = 0; count < 10; count += 1) {
        expect((await login(username, WRONG)).status).toBe(401);
      }
      const answer = await login(username, WRONG);
      const details = { attempt: 'login', retryAfterSeconds: expect.any(Number) as unknown };
      const expected = { ...throttled, namePseudonym: pseudonym, ...anonymous, details };
      return { answer, status: 429, expected: [expected] };
    },
    'a refresh': async () => {
      const user = await api.newUser();
      const answer = await refresh(user.tokens.refresh_token);
      const details = { isReplay: false };
      return { answer, status: 200, expected: [{ ...refreshed(user), details }] };
    },
    'a refresh whose answer is given again': async () => {
      const user = await api.newUser();
      await refresh(user.tokens.refresh_token);
      const answer = await refresh(user.tokens.refresh_token);
      return {
        answer,
        status: 200,
        expected: [{ ...refreshed(user), details: { isReplay: true } }],
      };
    },
    'a refresh with a token that we did not issue': async () => {
      const answer = await refresh('made-up');
      const expected = { ...refusedRefresh, reason: 'unknown-token' };
      return { answer, status: 401, expected: [expected] };
    },
    'a refresh of an ended session': async () => {
      const user = await api.newUser();
      await api.logout(user.tokens.access_token);
      const answer = await refresh(user.tokens.refresh_token);
      const subject = { userId: user.id, sessionId: user.tokens.session_id };
      const expected = { ...refusedRefresh, reason: 'session-ended', ...subject };
      return { answer, status: 401, expected: [expected] };
    },
    'a spent refresh token': async () => {
      const user = await api.newUser();
      let latest = user.tokens.refresh_token;
      for (let count = 0; count < 3; count += 1) {
        latest = (await api.refresh(latest)).body.refresh_token;
      }
      const owner = { userId: user.id, sessionId: user.tokens.session_id };
      await backdateSpentTokens(variables.REDIS_KEY_PREFIX, owner, 10_000);
      const answer = await refresh(user.tokens.refresh_token);
      const subject = { userId: user.id, sessionId: user.tokens.session_id, ...anonymous };
      const reused = { type: 'refresh-token-reused', result: 'refused' } as const;
      const ended = { type: 'session-ended', result: 'success' } as const;
      const expected = [
        { ...reused, reason: 'spent-token', ...subject },
        { ...ended, ...subject },
      ];
      return { answer, status: 401, expected };
    },
    'a logout': async () => {
      const user = await api.newUser();
      const answer = await call('POST', '/api/logout', { token: user.tokens.access_token });
      const expected = { type: 'logged-out', result: 'success', ...asUser(user) } as const;
      const sessionId = user.tokens.session_id;
      return { answer, status: 204, expected: [{ ...expected, sessionId }] };
    },
    'a logout with a refresh token': async () => {
      const user = await api.newUser();
      const answer = await call('POST', '/api/logout', {
        body: { refresh_token: user.tokens.refresh_token },
      });
      const expected = { type: 'logged-out', result: 'success', ...asUser(user) } as const;
      const sessionId = user.tokens.session_id;
      return { answer, status: 204, expected: [{ ...expected, sessionId }] };
    },
    'a logout with a refresh token that we did not issue': async () => {
      const answer = await call('POST', '/api/logout', { body: { refresh_token: 'made-up' } });
      const expected = { ...refusedRefresh, reason: 'unknown-token' };
      return { answer, status: 401, expected: [expected] };
    },
    'a login that requires a second factor': async () => {
      const user = await api.newUser();
      await addTotp(api, user.tokens);
      const answer = await login(user.username, user.password);
      const required = { type: 'second-factor-required', result: 'success' } as const;
      return { answer, status: 403, expected: [{ ...required, userId: user.id, ...anonymous }] };
    },
    'a wrong code at a second step': async () => {
      const user = await api.newUser();
      await addTotp(api, user.tokens);
      const { challenge } = await challengeOf(api, user.username);
      const answer = await secondStep({ challenge, code: '000000' });
      const refused = { type: 'second-factor-refused', result: 'refused' } as const;
      const expected = { ...refused, reason: 'wrong-proof', userId: user.id, ...anonymous };
      return { answer, status: 401, expected: [{ ...expected, details: { factor: 'totp' } }] };
    },
    'a login with a recovery code': async () => {
      const user = await api.newUser();
      await addTotp(api, user.tokens);
      const [recoveryCode] = await newRecoveryCodes(api, user.tokens);
      const { challenge } = await challengeOf(api, user.username);
      const answer = await secondStep({ challenge, recoveryCode });
      const used = { type: 'recovery-code-used', result: 'success', userId: user.id } as const;
      const sessionId = String(answer.body['session_id']);
      const subject = { userId: user.id, sessionId, actorSessionId: sessionId };
      const actor = { actor: 'user', actorId: user.id } as const;
      const loggedIn = { type: 'logged-in', result: 'success', ...subject, ...actor } as const;
      return { answer, status: 200, expected: [{ ...used, ...anonymous }, loggedIn] };
    },
    'a new second factor': async () => {
      const user = await api.newUser();
      const { id, secret } = await enrol(api, user.tokens);
      const [code] = codesOf(secret);
      const { access_token: token } = user.tokens;
      const path = '/api/user/factors/totp/confirm';
      const answer = await call('POST', path, { token, body: { id, code } });
      const added = { type: 'factor-added', result: 'success', ...asUser(user) } as const;
      return { answer, status: 204, expected: [{ ...added, details: { factor: 'totp' } }] };
    },
    'new recovery codes': async () => {
      const user = await api.newUser();
      await addTotp(api, user.tokens);
      const { access_token: token } = user.tokens;
      const answer = await call('POST', '/api/user/factors/recovery-codes', { token });
      const created = { type: 'recovery-codes-created', result: 'success' } as const;
      return { answer, status: 201, expected: [{ ...created, ...asUser(user) }] };
    },
    'the end of a second factor': async () => {
      const user = await api.newUser();
      const { id: factorId } = await addTotp(api, user.tokens);
      const { access_token: token } = user.tokens;
      const answer = await call('DELETE', `/api/user/factors/${factorId}`, { token });
      const removed = { type: 'factor-removed', result: 'success', ...asUser(user) } as const;
      return { answer, status: 204, expected: [{ ...removed, details: { factorId } }] };
    },
    'the end of all second factors by an administrator': async () => {
      const user = await api.newUser();
      await addTotp(api, user.tokens);
      const answer = await byAdmin('DELETE', `${user.id}/factors`);
      const removed = { type: 'factors-removed', result: 'success', ...asAdmin(user.id) } as const;
      return { answer, status: 204, expected: [removed] };
    },
    'a reauthentication': async () => {
      const user = await api.newUser();
      const { access_token: token, session_id: sessionId } = user.tokens;
      const body = { password: user.password };
      const answer = await call('POST', '/api/user/reauthentication', { token, body });
      const raised = { type: 'reauthenticated', result: 'success', ...asUser(user) } as const;
      const expected = { ...raised, sessionId, details: { methods: ['pwd'] } };
      return { answer, status: 200, expected: [expected] };
    },
    'the end of a session from another one': async () => {
      const user = await api.newUser();
      const { session_id: sessionId } = (await api.login(user.username)).body;
      const { access_token: token } = user.tokens;
      const answer = await call('DELETE', `/api/user/sessions/${sessionId}`, { token });
      const expected = { type: 'session-ended', result: 'success', ...asUser(user) } as const;
      return { answer, status: 204, expected: [{ ...expected, sessionId }] };
    },
    'the end of all other sessions': async () => {
      const user = await api.newUser();
      const { access_token: token, session_id: except } = user.tokens;
      const answer = await call('DELETE', '/api/user/sessions', { token });
      const expected = { type: 'sessions-ended', result: 'success', ...asUser(user) } as const;
      return { answer, status: 204, expected: [{ ...expected, details: { except } }] };
    },
    'the end of all sessions of a user by an administrator': async () => {
      const { id } = await api.newUser();
      const answer = await byAdmin('DELETE', `${id}/sessions`);
      const expected = { type: 'sessions-ended', result: 'success', ...asAdmin(id) } as const;
      return { answer, status: 204, expected: [expected] };
    },
    'a new password': async () => {
      const user = await api.newUser();
      const answer = await newPassword(user, user.password);
      const expected = { type: 'password-changed', result: 'success', ...asUser(user) } as const;
      const sessionId = user.tokens.session_id;
      return { answer, status: 204, expected: [{ ...expected, sessionId }] };
    },
    'a wrong password at a new password': async () => {
      const user = await api.newUser();
      const answer = await newPassword(user, WRONG);
      const details = { attempt: 'password-change' };
      const expected = { ...wrongPassword, ...asUser(user), details };
      return { answer, status: 403, expected: [expected] };
    },
    'a wrong password at a deletion': async () => {
      const user = await api.newUser();
      const answer = await deletion(user, WRONG);
      const expected = { ...wrongPassword, ...asUser(user), details: { attempt: 'deletion' } };
      return { answer, status: 403, expected: [expected] };
    },
    'a deletion that is throttled': async () => {
      const user = await api.newUser();
      for (let count = 0; count < 10; count += 1) {
        expect((await deletion(user, WRONG)).status).toBe(403);
      }
      const answer = await deletion(user, WRONG);
      const details = { attempt: 'deletion', retryAfterSeconds: expect.any(Number) as unknown };
      return { answer, status: 429, expected: [{ ...throttled, ...asUser(user), details }] };
    },
    'a deletion': async () => {
      const user = await api.newUser();
      const answer = await deletion(user, user.password);
      const expected = { type: 'user-deleted', result: 'success', ...asUser(user) } as const;
      return { answer, status: 204, expected: [expected] };
    },
    'a deletion by an administrator': async () => {
      const { id } = await api.newUser();
      const answer = await byAdmin('DELETE', id);
      const expected = { type: 'user-deleted', result: 'success', ...asAdmin(id) } as const;
      return { answer, status: 204, expected: [expected] };
    },
    'a new own address and name': async () => {
      const user = await api.newUser();
      const body = { email: 'ada@example.com', displayName: null };
      const { access_token: token } = user.tokens;
      const answer = await call('PATCH', '/api/user', { token, body });
      const expected = { type: 'profile-changed', result: 'success', ...asUser(user) } as const;
      const details = { members: ['email', 'displayName'] };
      return { answer, status: 200, expected: [{ ...expected, details }] };
    },
    'a change of access and profile by an administrator': async () => {
      const { id } = await api.newUser();
      const answer = await byAdmin('PATCH', id, { roles: [], disabled: true, displayName: 'Ada' });
      const by = { result: 'success', ...asAdmin(id) } as const;
      const expected = [
        { type: 'access-changed', ...by, details: { roles: [], disabled: true } },
        { type: 'profile-changed', ...by, details: { members: ['displayName'] } },
      ];
      return { answer, status: 200, expected };
    },
    'a change of a role': async () => {
      const body = { permissions: ['orders:write', 'orders:read'] };
      const answer = await roleByAdmin('PUT', 'order-clerk', body);
      const details = { role: 'order-clerk', permissions: ['orders:read', 'orders:write'] };
      const expected = {
        type: 'role-changed',
        result: 'success',
        ...byAdminSession(),
        details,
      } as const;
      return { answer, status: 204, expected: [expected] };
    },
    'a deletion of a role': async () => {
      await roleByAdmin('PUT', 'temporary', { permissions: [] });
      const answer = await roleByAdmin('DELETE', 'temporary');
      const details = { role: 'temporary' };
      const expected = {
        type: 'role-deleted',
        result: 'success',
        ...byAdminSession(),
        details,
      } as const;
      return { answer, status: 204, expected: [expected] };
    },
    'a change of the built-in role': async () => {
      const answer = await roleByAdmin('PUT', 'admin', { permissions: [] });
      const refused = { ...noPermission, reason: 'built-in-role', ...byAdminSession() };
      return { answer, status: 409, expected: [{ ...refused, details: { role: 'admin' } }] };
    },
    'a new service account': async () => {
      const body = { name: 'order reports', permissions: ['orders:read'] };
      const answer = await accountByAdmin('POST', '', body);
      const clientId = String(answer.body['id']);
      const details = { permissions: ['orders:read'], audiences: ['keyslot'] };
      const expected = { type: 'service-account-created', ...success(clientId), details } as const;
      return { answer, status: 201, expected: [expected] };
    },
    'a change of a service account': async () => {
      const { id } = await account();
      const body = { name: 'renamed', permissions: [], disabled: false };
      const answer = await accountByAdmin('PATCH', `/${id}`, body);
      const details = { members: Object.keys(body), permissions: [], disabled: false };
      const expected = { type: 'service-account-changed', ...success(id), details } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'a deletion of a service account': async () => {
      const { id } = await account();
      const answer = await accountByAdmin('DELETE', `/${id}`);
      const expected = { type: 'service-account-deleted', ...success(id) } as const;
      return { answer, status: 204, expected: [expected] };
    },
    'a new secret': async () => {
      const { id } = await account();
      const answer = await accountByAdmin('POST', `/${id}/secrets`);
      const details = { secret: answer.body['id'] };
      const expected = { type: 'client-secret-created', ...success(id), details } as const;
      return { answer, status: 201, expected: [expected] };
    },
    'a deletion of a secret': async () => {
      const { id, secrets } = await account();
      const secret = secrets[0]!.id;
      const answer = await accountByAdmin('DELETE', `/${id}/secrets/${secret}`);
      const details = { secret };
      const expected = { type: 'client-secret-deleted', ...success(id), details } as const;
      return { answer, status: 204, expected: [expected] };
    },
    'a token for a service account': async () => {
      const client = await account();
      const answer = await form('/oauth/token', { grant_type: 'client_credentials' }, client);
      const details = { audiences: ['keyslot'] };
      const expected = { type: 'client-token-issued', ...byClient(client), details } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'a wrong secret': async () => {
      const { id } = await account();
      const answer = await form('/oauth/token', {}, { id, clientSecret: WRONG });
      const expected = { type: 'client-refused', result: 'refused', ...anonymous } as const;
      return { answer, status: 401, expected: [{ ...expected, reason: 'wrong-credentials' }] };
    },
    'a disabled service account': async () => {
      const client = await account();
      await accountByAdmin('PATCH', `/${client.id}`, { disabled: true });
      const answer = await form('/oauth/token', {}, client);
      const refused = { type: 'client-refused', result: 'refused', ...anonymous } as const;
      const expected = { ...refused, reason: 'disabled', clientId: client.id };
      return { answer, status: 401, expected: [expected] };
    },
    'the revocation of a token of a service account': async () => {
      const client = await account();
      const token = await tokenOf(api, client);
      const answer = await form('/oauth/revoke', { token }, client);
      const details = { tokenId: decode(token).payload['jti'] };
      const expected = { type: 'token-revoked', ...byClient(client), details } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'the revocation of an access token of a user': async () => {
      const [client, { id: userId, tokens }] = [await account(), await api.newUser()];
      const { access_token: token, session_id: sessionId } = tokens;
      const answer = await form('/oauth/revoke', { token }, client);
      const { result, actor, actorId } = byClient(client);
      const subject = { result, actor, actorId, userId, sessionId };
      const details = { tokenId: decode(token).payload['jti'] };
      const expected = { type: 'token-revoked', ...subject, details } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'the revocation of a refresh token': async () => {
      const [client, { id: userId, tokens }] = [await account(), await api.newUser()];
      const answer = await form('/oauth/revoke', { token: tokens.refresh_token }, client);
      const { result, actor, actorId } = byClient(client);
      const subject = { result, actor, actorId, userId, sessionId: tokens.session_id };
      return { answer, status: 200, expected: [{ type: 'session-ended', ...subject }] };
    },
    'a page of the users, without the text of the search': async () => {
      const { username } = await api.newUser();
      const query = new URLSearchParams({ q: username, disabled: 'false' });
      const path = `/api/users?${query.toString()}`;
      const answer = await call('GET', path, { token: admin.access_token });
      const listed = { type: 'users-listed', result: 'success', ...byAdminSession() } as const;
      const details = { users: 1, disabled: false };
      return { answer, status: 200, expected: [{ ...listed, details }] };
    },
    'a read of a user': async () => {
      const { id } = await api.newUser();
      const answer = await byAdmin('GET', id);
      const expected = { type: 'user-read', result: 'success', ...asAdmin(id) } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'a read of a user who does not exist': async () => {
      const id = randomUUID();
      const answer = await byAdmin('GET', id);
      const failed = { type: 'user-read', result: 'failure', reason: 'not-found' } as const;
      return { answer, status: 404, expected: [{ ...failed, ...asAdmin(id) }] };
    },
    "a read of a user's sessions": async () => {
      const { id } = await api.newUser();
      const answer = await byAdmin('GET', `${id}/sessions`);
      const expected = { type: 'sessions-read', result: 'success', ...asAdmin(id) } as const;
      return { answer, status: 200, expected: [expected] };
    },
    "a read of a user's second factors": async () => {
      const { id } = await api.newUser();
      const answer = await byAdmin('GET', `${id}/factors`);
      const expected = { type: 'factors-read', result: 'success', ...asAdmin(id) } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'a read of the audit trail': async () => {
      const { id } = await api.newUser();
      const path = `/api/audit?user=${id}&type=user-read`;
      const answer = await call('GET', path, { token: admin.access_token });
      const details = { events: 0, type: 'user-read' };
      const expected = { type: 'audit-read', result: 'success', ...asAdmin(id), details } as const;
      return { answer, status: 200, expected: [expected] };
    },
    'a request without the permission': async () => {
      const user = await api.newUser();
      const { access_token: token } = user.tokens;
      const answer = await call('GET', `/api/users/${adminId}`, { token });
      const expected = { ...noPermission, reason: 'missing-permission', ...asUser(user) };
      const details = { required: ['users:read'] };
      return { answer, status: 403, expected: [{ ...expected, details }] };
    },
    'a deletion of the own user by an administrator': async () => {
      const answer = await byAdmin('DELETE', adminId);
      const expected = { ...noPermission, reason: 'own-access', ...asAdmin(adminId) };
      return { answer, status: 409, expected: [expected] };
    },
    'a read of the own user, which is no event': async () => {
      const { tokens } = await api.newUser();
      const answer = await call('GET', '/api/user', { token: tokens.access_token });
      return { answer, status: 200, expected: [] };
    },
  };
  const refusedLogin = () =>
    ({
      type: 'login-refused',
      result: 'refused',
      reason: 'wrong-credentials',
      namePseudonym: pseudonym,
      ...anonymous,
    }) as const;
  const throttled = {
    type: 'attempt-throttled',
    result: 'refused',
    reason: 'too-many-attempts',
  } as const;
  const refreshed = (user: TestUser) =>
    ({
      type: 'tokens-refreshed',
      result: 'success',
      ...asUser(user),
      sessionId: user.tokens.session_id,
    }) as const;
  const refusedRefresh = { type: 'refresh-refused', result: 'refused', ...anonymous } as const;
  const wrongPassword = {
    type: 'password-refused',
    result: 'refused',
    reason: 'wrong-password',
  } as const;
  const noPermission = { type: 'permission-refused', result: 'refused' } as const;
  const newPassword = async ({ tokens }: TestUser, currentPassword: string): Promise<Answer> =>
    call('PUT', '/api/user/password', {
      token: tokens.access_token,
      body: { currentPassword, newPassword: 'copper lanterns drift at noon' },
    });
  const deletion = async ({ tokens }: TestUser, password: string): Promise<Answer> =>
    call('DELETE', '/api/user', { token: tokens.access_token, body: { password } });

  const recorded = new Set<string>();
  it.each(Object.entries(causes))(
    '%s is recorded with actor, subject, address, request and result',
    async (name, cause) => {
      const at = name.includes('closed') ? closed : api;
      await at.logged();
      const before = at.output().length;

      const { answer, status, expected } = await cause();

      expect(answer.status).toBe(status);
      await at.logged();
      const { answered, events } = lastRequestOf(at.output().slice(before));
      expect(answered).toMatchObject({ status, ip: ADDRESS, requestId: text });
      const { requestId } = answered;
      expect(events).toEqual(expected.map((event) => ({ ...event, ip: ADDRESS, requestId })));
      expected.forEach(({ type }) => recorded.add(String(type)));
    },
  );

  it('that the system causes have no request and no address', async () => {
    await api.logged();
    const own = eventsIn(api.output()).filter(({ actor }) => actor === 'system');

    expect(own).toEqual([
      {
        type: 'signing-key-created',
        result: 'success',
        actor: 'system',
        details: { kid: text },
      },
      {
        type: 'user-registered',
        result: 'success',
        actor: 'system',
        userId: adminId,
        details: { roles: ['admin'] },
      },
    ]);
    own.forEach(({ type }) => recorded.add(String(type)));
  });

  it('have the same pseudonym for a name on every instance, and never contain the name', async () => {
    const username = `hunter2-${randomUUID()}`;
    await api.login(username, WRONG);
    await closed.login(username.toUpperCase(), WRONG);
    await api.login(`${username}x`, WRONG);

    const on = async (instance: Instance): Promise<unknown[]> =>
      (await instance.audited('login-refused')).map(({ namePseudonym }) => namePseudonym);
    const [one, another] = (await on(api)).slice(-2);

    expect((await on(closed)).at(-1)).toBe(one);
    expect(another).not.toBe(one);
    expect((api.output() + closed.output()).toLowerCase()).not.toContain(username);
  });

  it('of the operator command contain its counts', async () => {
    const operator = { ...variables, ...asOperator(variables.REDIS_KEY_PREFIX) };
    const cli = await runCommand(['end-all-sessions'], { variables: operator });

    expect(eventsIn(cli.stdout)).toEqual([
      {
        type: 'all-sessions-ended',
        result: 'success',
        actor: 'operator',
        details: { users: expect.any(Number) as unknown, failed: 0, notTried: 0 },
      },
    ]);
    recorded.add('all-sessions-ended');
  });

  it('of the commands for import and export contain the numbers of users, and no names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyslot-audit-'));
    // The export compares the directory with the keys of all users, for which it needs the right to scan.
    const operator = { ...variables, ...asOperator(variables.REDIS_KEY_PREFIX) };
    const run = async (...args: string[]): Promise<Event[]> => {
      const options = { variables: operator, cwd: folder };
      return eventsIn((await runCommand(['users', ...args], options)).stdout);
    };
    writeFileSync(join(folder, 'users'), '{"username":"imported","password":"an old password"}');

    const dry = await run('import', 'users', '--dry-run');
    const imported = await run('import', 'users');
    const exported = await run('export', 'all');
    rmSync(folder, { recursive: true });

    const event = (type: string, details: object): Event => ({
      type,
      result: 'success',
      actor: 'operator',
      details,
    });
    expect(dry).toEqual([]);
    expect(imported).toEqual([
      event('users-imported', {
        format: 'keyslot',
        imported: 1,
        present: 0,
        disabled: 0,
        notDisabled: 0,
        refused: 0,
        ignored: 0,
      }),
    ]);
    expect(exported).toEqual([
      event('users-exported', { users: expect.any(Number) as unknown, passwordHashes: false }),
    ]);
    [...imported, ...exported].forEach(({ type }) => recorded.add(String(type)));
  });

  it('of the command for signing keys contain the ids of the keys', async () => {
    const run = async (...args: string[]): Promise<Event[]> => {
      const { stdout } = await runKeysCommand({ ...variables, LOG_LEVEL: 'info' }, ...args);
      return eventsIn(stdout);
    };
    const event = (type: string, kid: unknown): Event => ({
      type,
      result: 'success',
      actor: 'operator',
      details: { kid },
    });

    const rotated = await run('rotate', '--now');
    expect(rotated).toEqual([
      event('signing-key-created', text),
      event('signing-key-activated', text),
    ]);
    const { kid } = rotated[0]!['details'] as { kid: string };
    expect(await run('withdraw', kid)).toEqual([
      event('signing-key-created', text),
      event('signing-key-withdrawn', kid),
    ]);
    rotated.forEach(({ type }) => recorded.add(String(type)));
    recorded.add('signing-key-withdrawn');
  });

  it('name the user of a link in a mail, and neither its address nor its token', async () => {
    const server = await MailServer.start();
    const instance = await Instance.start({ ...mailVariables(server), LOG_LEVEL: 'info' });
    const user = await userWithMail(instance, server);
    const { access_token: token } = user.tokens;
    const body = { email: newAddress() };
    await instance.request('PATCH', '/api/user', { token, body });
    await requestReset(instance, { email: user.email });
    const mail = await server.mailAbout(user.email, 'Set a new password');
    await confirmReset(instance, tokenIn(mail));
    await confirmReset(instance, tokenIn(mail));

    for (const [type, result] of [
      ['email-verified', 'success'],
      ['email-change-requested', 'success'],
      ['password-reset', 'success'],
    ] as const) {
      expect(await instance.audited(type)).toMatchObject([{ type, result, userId: user.id }]);
      recorded.add(type);
    }
    // A spent token is not stored any more.
    const refused = await instance.audited('one-time-token-refused');
    expect(refused).toMatchObject([{ result: 'refused', actor: 'anonymous' }]);
    recorded.add('one-time-token-refused');
    const [requested] = await instance.audited('password-reset-requested');
    expect(requested).toMatchObject({ result: 'success', namePseudonym: pseudonym });
    recorded.add('password-reset-requested');
    for (const secret of [user.email, body.email, tokenIn(mail).split('.')[1]!]) {
      expect(instance.output()).not.toContain(secret);
    }
    await instance.stop();
    await server.stop();
  });

  it('are all tested above and documented', () => {
    expect([...recorded].sort()).toEqual(Object.keys(AUDIT_EVENTS).sort());
    const rows = tableWith('`user-registered`', readFileSync('docs/audit.md', 'utf8'));
    const told = rows.map(([type, when]) => [codeSpans(type!)[0], when]);
    expect(told).toEqual(Object.entries(AUDIT_EVENTS));
  });
});

function entriesIn(output: string): Event[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Event);
}

function eventsIn(output: string): Event[] {
  return entriesIn(output).flatMap(({ audit }) => (audit ? [audit as Event] : []));
}

/** The last response to the client at the test address, and the events with its request id. */
function lastRequestOf(output: string): { answered: Event; events: Event[] } {
  const answered = entriesIn(output).findLast(
    ({ msg, ip }) => msg === 'answered' && ip === ADDRESS,
  );
  const events = eventsIn(output).filter(({ requestId }) => requestId === answered?.['requestId']);
  return { answered: answered ?? {}, events };
}
