import { Secret } from 'otpauth';
import { randomUUID } from 'node:crypto';

import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, type Answer } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { PUBLIC_URL } from '../support/mails.js';
import { dumpKeys } from '../support/redis.js';
import {
  addPasskey,
  addTotp,
  codesOf,
  enrol,
  newRecoveryCodes,
  type Challenge,
  type Enrolment,
} from '../support/second-factors.js';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the secrets of second factors', () => {
  const keyPrefix = `t-${randomUUID().slice(0, 8)}:`;
  let api: Instance;
  beforeAll(async () => {
    api = await Instance.start({
      ...WITH_ADMINISTRATOR,
      PUBLIC_URL,
      REDIS_KEY_PREFIX: keyPrefix,
      LOG_LEVEL: 'trace',
    });
  });
  afterAll(async () => api.stop());

  it('are shown once, not cached (84), and not stored (30), logged (90) or read again (103)', async () => {
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const answers: Answer<unknown>[] = [];
    const send = async <Body>(status: number, ...request: Parameters<typeof api.request>) => {
      const answer = await api.request<Body>(...request);
      expect({ request, status: answer.status }).toEqual({ request, status });
      answers.push(answer);
      return answer.body;
    };
    const totp = await send<Enrolment>(201, 'POST', '/api/user/factors/totp', { token });
    const [code, next] = codesOf(totp.secret);
    const confirmation = { token, body: { id: totp.id, code } };
    await send(204, 'POST', '/api/user/factors/totp/confirm', confirmation);
    const path = '/api/user/factors/recovery-codes';
    const { codes } = await send<{ codes: string[] }>(201, 'POST', path, { token });
    const login = { body: { username: user.username, password: GOOD_PASSWORD } };
    const { challenge } = await send<Challenge>(403, 'POST', '/api/login', login);
    for (const [status, proof] of [
      [401, { code: '000000' }],
      [401, { recoveryCode: `${codes[0]}0` }],
      [200, { code: next }],
      [401, { recoveryCode: codes[1] }],
    ] as const) {
      await send(status, 'POST', '/api/login/second-factor', { body: { challenge, ...proof } });
    }
    const recovery = { token, body: { recoveryCode: codes[2] } };
    await send(200, 'POST', '/api/user/reauthentication', recovery);
    const shownOnce = answers.length;
    const { body: admin } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const list = await send<{ items: object[] }>(200, 'GET', '/api/user/factors', { token });
    for (const item of list.items) {
      expect(Object.keys(item).sort()).toEqual(['createdAt', 'id', 'lastUsedAt', 'type']);
    }
    await send(200, 'GET', '/api/user', { token });
    const byAdmin = { token: admin.access_token };
    await send(200, 'GET', `/api/users/${user.id}`, byAdmin);
    await send(200, 'GET', `/api/audit?user=${user.id}`, byAdmin);

    for (const { headers } of answers) {
      expect(headers.get('cache-control')).toBe('no-store');
    }
    const secrets = [
      totp.secret,
      Buffer.from(Secret.fromBase32(totp.secret).bytes).toString('latin1'),
      challenge,
      ...codes.flatMap((one) => [one, one.replaceAll('-', '')]),
    ];
    await api.logged();
    const { keys, values } = await dumpKeys(keyPrefix);
    expect(keys.join()).toContain(`{user.${user.id}}:factors`);
    const read = answers.slice(shownOnce).map(({ body }) => body);
    for (const text of [JSON.stringify({ keys, values }), api.output(), JSON.stringify(read)]) {
      for (const secret of secrets) {
        const bytes = Buffer.from(secret, 'latin1');
        const spellings = (['hex', 'base64', 'base64url'] as const).map((form) =>
          bytes.toString(form),
        );
        expect([secret, ...spellings].filter((one) => text.includes(one))).toEqual([]);
      }
    }
  });

  it('are not among what an administrator sees of the factors of a user (103)', async () => {
    const user = await api.newUser();
    const byAdmin = {
      token: (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token,
    };
    const path = `/api/users/${user.id}/factors`;
    expect(await api.request('GET', path, byAdmin)).toMatchObject({ body: { items: [] } });
    const { id: totpId, codes } = await addTotp(api, user.tokens);
    const { id: passkeyId, passkey } = await addPasskey(api, user, PUBLIC_URL, 'My phone');
    await newRecoveryCodes(api, user.tokens);
    // Not confirmed, so it does not count.
    await enrol(api, user.tokens);
    const { access_token: token } = user.tokens;
    const proof = { token, body: { code: codes[0] } };
    expect((await api.request('POST', '/api/user/reauthentication', proof)).status).toBe(200);

    const { status, body } = await api.request<{ items: object[] }>('GET', path, byAdmin);

    expect(status).toBe(200);
    const moment = expect.stringMatching(TIMESTAMP);
    expect(body.items).toEqual([
      { id: totpId, type: 'totp', createdAt: moment, lastUsedAt: moment },
      { id: passkeyId, type: 'passkey', name: 'My phone', createdAt: moment, lastUsedAt: null },
      { id: expect.any(String), type: 'recovery-code', createdAt: moment, lastUsedAt: null },
    ]);
    const { x } = passkey.keys.publicKey.export({ format: 'jwk' });
    for (const secret of [passkey.id.toString('base64url'), x!]) {
      expect(JSON.stringify(body)).not.toContain(secret);
    }
    expect(await api.request('GET', '/api/user/factors', { token })).toMatchObject({ body });
  });
});
