import type { CDPSession } from 'playwright-core';

import { startDeployment, WITH_ADMINISTRATOR, type Deployment } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import { GOOD_PASSWORD, type Answer, type TestUser, type Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { SwaggerUi } from '../support/swagger-ui.js';
import type { TestApp } from '../support/test-app.js';

/** Browsers allow passkeys on localhost without TLS. The browser maps it to the instance. */
const ORIGIN = 'http://localhost:3999';

const CREATE = `async (options) => (await navigator.credentials.create({
  publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).toJSON()`;
const GET = `async (options) => (await navigator.credentials.get({
  publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON()`;

interface Credential {
  readonly id: string;
  readonly response: Readonly<Record<string, unknown>>;
}

/** A real browser, with the virtual authenticator of the DevTools protocol (WebDriver section 11 of WebAuthn). */
describe('a passkey', () => {
  let api: TestApp;
  let other: Instance;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  let browser: SwaggerUi;
  let devTools: CDPSession;
  let authenticatorId: string;
  beforeAll(async () => {
    ({ api, other, expectEverywhere, stop } = await startDeployment({
      ...WITH_ADMINISTRATOR,
      PUBLIC_URL: ORIGIN,
    }));
    browser = await SwaggerUi.open(api.url, { shownAs: ORIGIN });
    devTools = await browser.page.context().newCDPSession(browser.page);
    await devTools.send('WebAuthn.enable');
  });
  beforeEach(async () => {
    ({ authenticatorId } = await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    }));
  });
  afterEach(async () => devTools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }));
  afterAll(async () => {
    await browser.close();
    await stop();
  });

  const inBrowser = async (code: string, options: unknown): Promise<Credential> =>
    browser.page.evaluate<Credential>(`(${code})(${JSON.stringify(options)})`);
  const post = async <Body>(
    path: string,
    body?: unknown,
    { access_token: token }: Partial<Tokens> = {},
    at: TestApp | Instance = api,
  ): Promise<Answer<Body>> =>
    at.request<Body>('POST', path, { body, ...(token === undefined ? {} : { token }) });
  const created = async ({ tokens }: TestUser): Promise<Credential> => {
    const options = await post('/api/user/factors/passkeys/options', undefined, tokens);
    expect(options.status).toBe(200);
    return inBrowser(CREATE, options.body);
  };
  const withPasskey = async (name = 'My phone'): Promise<{ user: TestUser; id: string }> => {
    const user = await api.newUser();
    const body = { ...(await created(user)), name };
    const answer = await post<{ id: string }>('/api/user/factors/passkeys', body, user.tokens);
    expect(answer).toMatchObject({ status: 201, body: { type: 'passkey', name } });
    return { user, id: answer.body.id };
  };
  const presented = async (challenge?: string, at = other): Promise<Credential> => {
    const options = await post('/api/login/passkey/options', { challenge }, {}, at);
    expect(options.status).toBe(200);
    return inBrowser(GET, options.body);
  };

  it('logs its user in without a name and a password, on every instance', async () => {
    const { user } = await withPasskey();

    const answer = await post<Tokens>('/api/login/passkey', await presented(), {}, other);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('set-cookie')).toMatch(/^keyslot-device=/);
    expect(decode(answer.body.access_token).payload).toMatchObject({
      sub: user.id,
      amr: ['pop', 'user', 'mfa'],
    });
    await expectEverywhere(200, answer.body);
  });

  it('is required after the password from then on, and every other session has ended (43)', async () => {
    const user = await api.newUser();
    const { body: elsewhere } = await other.login(user.username);
    const added = await post('/api/user/factors/passkeys', await created(user), user.tokens);
    expect(added.status).toBe(201);
    await expectEverywhere(401, elsewhere);
    const login = { username: user.username, password: GOOD_PASSWORD };
    const { status, body } = await other.request<{ challenge: string }>('POST', '/api/login', {
      body: login,
    });
    expect({ status, body }).toMatchObject({ status: 403, body: { factors: ['passkey'] } });
    const { challenge } = body;

    const passkey = await presented(challenge);
    const answer = await post<Tokens>('/api/login/second-factor', { challenge, passkey });

    expect(answer.status).toBe(200);
    expect(decode(answer.body.access_token).payload).toMatchObject({
      sub: user.id,
      amr: ['pwd', 'pop', 'user', 'mfa'],
    });
  });

  it('signs each challenge for one login, of 50 parallel tries on two instances (59)', async () => {
    await withPasskey();
    const response = await presented();

    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        post('/api/login/passkey', response, {}, index % 2 === 0 ? api : other),
      ),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => ![200, 401].includes(status))).toEqual([]);
  });

  it('that was removed is refused on every instance, and so is a login that has begun', async () => {
    const { user, id } = await withPasskey();
    const response = await presented();
    const { access_token: token } = user.tokens;

    expect((await api.request('DELETE', `/api/user/factors/${id}`, { token })).status).toBe(204);

    for (const at of [api, other]) {
      expect(await post('/api/login/passkey', response, {}, at)).toMatchObject({
        status: 401,
        body: { code: 'passkey-refused' },
      });
    }
    expect((await other.login(user.username)).status).toBe(200);
  });

  it('reauthenticates', async () => {
    const { user } = await withPasskey();

    const body = { passkey: await presented() };
    const answer = await post<Tokens>('/api/user/reauthentication', body, user.tokens);

    expect(answer.status).toBe(200);
    expect(answer.body.session_id).toBe(user.tokens.session_id);
    const again = await post('/api/user/reauthentication', body, user.tokens);
    expect(again).toMatchObject({ status: 401, body: { code: 'wrong-second-factor' } });
  });

  it('of another user, of other options, or altered, is refused', async () => {
    await withPasskey();
    const victim = await api.newUser();
    const response = await presented();
    const handle = Buffer.from(victim.id).toString('base64url');
    const bodies = [
      { ...response, response: { ...response.response, userHandle: handle } },
      { ...response, id: `${response.id.slice(0, -2)}AA` },
      { ...response, response: { ...response.response, signature: 'MEUCIQ' } },
      { ...response, response: { ...response.response, clientDataJSON: 'e30' } },
      { ...response, response: {} },
    ];
    for (const body of bodies) {
      expect(await post('/api/login/passkey', body)).toMatchObject({ status: 401 });
    }
    // As an answer to an enrolment of somebody else.
    await post('/api/user/factors/passkeys/options', undefined, victim.tokens);
    const foreign = await created(await api.newUser());
    const added = await post('/api/user/factors/passkeys', foreign, victim.tokens);
    expect(added.status).toBe(400);
    expect((await post('/api/login/passkey', response)).status).toBe(200);
  });

  it('needs a user whom the authenticator has verified', async () => {
    await withPasskey();
    await devTools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });

    await expect(presented()).rejects.toThrow(/NotAllowedError/);
  });
});
