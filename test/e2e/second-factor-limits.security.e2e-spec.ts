import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD, type Answer, type Tokens } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import {
  confirmReset,
  mailVariables,
  NEW_PASSWORD,
  PUBLIC_URL,
  requestReset,
  userWithMail,
  type MailUser,
} from '../support/mails.js';
import {
  addPasskey,
  codesOf,
  enrol,
  newRecoveryCodes,
  type Challenge,
} from '../support/second-factors.js';
import { eventually } from '../support/own-cluster.js';
import { SoftwarePasskey } from '../support/software-passkey.js';

const WRONG = '000000';
const STRANGER = '198.51.100.1';
const HOME = '203.0.113.1';

interface Victim {
  readonly user: MailUser;
  /** A right code, which was not used. */
  readonly code: () => string;
  readonly recoveryCodes: readonly string[];
  readonly passkey: SoftwarePasskey;
}

describe('the limits on second factors', () => {
  let server: MailServer;
  let api: Instance;
  beforeAll(async () => {
    server = await MailServer.start();
    api = await Instance.start({
      ...mailVariables(server),
      REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:`,
      TRUSTED_PROXIES: '127.0.0.1',
      LOG_LEVEL: 'info',
    });
  });
  afterAll(async () => {
    await api.stop();
    await server.stop();
  });

  const post = async <Body>(
    path: string,
    body: object,
    from: string,
    cookie?: string,
  ): Promise<Answer<Body>> =>
    api.request<Body>('POST', path, {
      body,
      headers: { 'x-forwarded-for': from, ...(cookie === undefined ? {} : { cookie }) },
    });
  const challengeFor = async (
    { username }: MailUser,
    from: string,
    { password = GOOD_PASSWORD, cookie }: { password?: string; cookie?: string } = {},
  ): Promise<string> => {
    const answer = await post<Challenge>('/api/login', { username, password }, from, cookie);
    expect(answer).toMatchObject({ status: 403, body: { code: 'second-factor-required' } });
    return answer.body.challenge;
  };
  const finish = async (body: object, from: string, cookie?: string): Promise<Answer<Tokens>> =>
    post<Tokens>('/api/login/second-factor', body, from, cookie);
  const requested = async (body: object): Promise<string> => {
    const options = await post<{ challenge: string }>('/api/login/passkey/options', body, HOME);
    return options.body.challenge;
  };

  const victim = async (): Promise<Victim> => {
    const user = await userWithMail(api, server);
    const { access_token: token } = user.tokens;
    const { id, secret } = await enrol(api, user.tokens);
    const confirmation = { token, body: { id, code: codesOf(secret)[0] } };
    const confirmed = await api.request('POST', '/api/user/factors/totp/confirm', confirmation);
    expect(confirmed.status).toBe(204);
    const recoveryCodes = await newRecoveryCodes(api, user.tokens);
    const { passkey } = await addPasskey(api, user, PUBLIC_URL);
    return { user, code: () => codesOf(secret)[1], recoveryCodes, passkey };
  };
  /** Somebody who knows the password uses up the guesses of the account. */
  const guess = async (user: MailUser): Promise<void> => {
    for (let login = 0; login < 2; login += 1) {
      const challenge = await challengeFor(user, STRANGER);
      for (let count = 0; count < 5; count += 1) {
        expect((await finish({ challenge, code: WRONG }, STRANGER)).status).toBe(401);
      }
    }
  };

  it('let the victim in with a recovery code or a passkey, whatever strangers do (62)', async () => {
    const { user, code, recoveryCodes, passkey } = await victim();
    await guess(user);
    for (let login = 0; login < 4; login += 1) {
      const challenge = await challengeFor(user, STRANGER);
      for (let count = 0; count < 5; count += 1) {
        const body = { challenge, recoveryCode: '0000-0000-0000-0000' };
        expect((await finish(body, STRANGER)).status).toBe(401);
      }
    }

    const challenge = await challengeFor(user, HOME);
    expect((await finish({ challenge, code: code() }, HOME)).status).toBe(429);
    const recoveryCode = recoveryCodes[0]!;
    expect((await finish({ challenge, recoveryCode }, HOME)).status).toBe(200);
    const second = await challengeFor(user, HOME);
    const proof = passkey.presented(await requested({ challenge: second }));
    expect((await finish({ challenge: second, passkey: proof }, HOME)).status).toBe(200);
    const alone = passkey.presented(await requested({}));
    expect((await post('/api/login/passkey', alone, HOME)).status).toBe(200);
    // The use of the others gives no new guesses.
    const third = await challengeFor(user, STRANGER);
    expect((await finish({ challenge: third, code: WRONG }, STRANGER)).status).toBe(429);
  });

  it('give no new guesses to somebody who resets the password, and let the victim past a block of the password (62, 63)', async () => {
    const { user, code, recoveryCodes } = await victim();
    await guess(user);
    expect((await requestReset(api, { username: user.username })).status).toBe(202);
    const links = () =>
      server.mailsTo(user.email).filter(({ text }) => text.includes('/reset-password#token='));
    await eventually('the link', 20_000, async () => Promise.resolve(links().length > 0));
    const { status, headers } = await confirmReset(api, tokenIn(links()[0]!));
    expect(status).toBe(204);
    const cookie = headers.get('set-cookie')!.split(';')[0]!;
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const body = { username: user.username, password: 'not the password at all' };
      expect((await post('/api/login', body, STRANGER)).status).toBe(401);
    }
    const password = NEW_PASSWORD;
    const { username } = user;
    expect((await post('/api/login', { username, password }, HOME)).status).toBe(429);

    let made = 0;
    for (let login = 0; login < 3; login += 1) {
      const challenge = await challengeFor(user, HOME, { password, cookie });
      for (const guessed of [WRONG, code()]) {
        const answer = await finish({ challenge, code: guessed }, HOME, cookie);
        made += answer.status === 429 ? 0 : 1;
      }
    }
    expect(made).toBe(0);

    const challenge = await challengeFor(user, HOME, { password, cookie });
    const body = { challenge, recoveryCode: recoveryCodes[0] };
    const login = await finish(body, HOME, cookie);
    expect(login.status).toBe(200);
    // This device has now proved both.
    const known = login.headers.get('set-cookie')!.split(';')[0]!;
    const again = await challengeFor(user, HOME, { password, cookie: known });
    expect((await finish({ challenge: again, code: WRONG }, HOME, known)).status).toBe(401);
    expect((await finish({ challenge: again, code: code() }, HOME, known)).status).toBe(200);
  });

  it('refuse an address after 100 wrong challenges, recovery codes and passkeys, before anything is read, and record it (59, 89)', async () => {
    const { user, recoveryCodes, passkey } = await victim();
    const address = '192.0.2.7';
    const [recoveryCode] = recoveryCodes;
    const challenge = await challengeFor(user, address);
    const forged = { challenge: `${challenge}x`, code: WRONG };
    for (let count = 0; count < 98; count += 1) {
      expect((await finish(forged, address)).status).toBe(401);
    }
    const wrong = { challenge, recoveryCode: '0000-0000-0000-0000' };
    expect((await finish(wrong, address)).status).toBe(401);
    const foreign = new SoftwarePasskey(new URL(PUBLIC_URL).origin);
    const alone = foreign.presented(await requested({}));
    expect((await post('/api/login/passkey', alone, address)).status).toBe(401);

    const right = passkey.presented(await requested({}));
    for (const refused of [
      await finish(forged, address),
      await finish({ challenge, recoveryCode }, address),
      await post('/api/login/passkey', right, address),
    ]) {
      expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-attempts' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }

    const throttled = (await api.audited('attempt-throttled')).filter(({ ip }) => ip === address);
    expect(throttled.map(({ details }) => details)).toEqual(
      ['second-factor', 'second-factor', 'login'].map((attempt) =>
        expect.objectContaining({ attempt }),
      ),
    );
    // Nothing was spent, and other addresses and live sessions are not concerned.
    expect((await post('/api/login/passkey', right, HOME)).status).toBe(200);
    const raised = await api.request('POST', '/api/user/reauthentication', {
      token: user.tokens.access_token,
      body: { recoveryCode },
      headers: { 'x-forwarded-for': address },
    });
    expect(raised.status).toBe(200);
  });

  it('refuse a session after 100 wrong recovery codes, and an address after 100 challenges that have ended (59)', async () => {
    const { user, code, recoveryCodes } = await victim();
    const challenge = await challengeFor(user, HOME);
    const { body } = await finish({ challenge, code: code() }, HOME);
    const raise = async (token: string, recoveryCode: string): Promise<number> => {
      const options = { token, body: { recoveryCode } };
      return (await api.request('POST', '/api/user/reauthentication', options)).status;
    };
    for (let count = 0; count < 100; count += 1) {
      expect(await raise(user.tokens.access_token, '0000-0000-0000-0000')).not.toBe(429);
    }
    expect(await raise(user.tokens.access_token, recoveryCodes[0]!)).toBe(429);
    expect(await raise(body.access_token, recoveryCodes[0]!)).toBe(200);

    const address = '192.0.2.8';
    for (let count = 0; count < 100; count += 1) {
      expect((await finish({ challenge, code: WRONG }, address)).status).toBe(401);
    }
    expect((await finish({ challenge, code: WRONG }, address)).status).toBe(429);
  });
});
