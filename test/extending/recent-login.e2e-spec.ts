import { Controller, Get, Module } from '@nestjs/common';

import { Clock } from '../../src/common/clock/index.js';
import { Public, RequireRecentLogin } from '../../src/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, type Answer, type Tokens } from '../support/http-client.js';
import { createAccount, tokenOf } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

@RequireRecentLogin()
@Controller('payments')
class PaymentsController {
  @Get() list(): string[] {
    return [];
  }

  @Get('strict') @RequireRecentLogin(60) listStrictly(): string[] {
    return [];
  }

  @Get('public') @Public() listPublicly(): string[] {
    return [];
  }
}

@Module({ controllers: [PaymentsController] })
class PaymentsModule {}

const NEEDED = { status: 403, body: { code: 'reauthentication-required' } };

describe('@RequireRecentLogin()', () => {
  let api: TestApp;
  let clock: Clock;
  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR, { imports: [PaymentsModule] });
    clock = api.app.get(Clock, { strict: false });
  });
  afterEach(() => {
    clock.now = (): number => Clock.prototype.now.call(clock);
  });
  afterAll(async () => api.close());

  const later = (seconds: number): void => {
    clock.now = (): number => Clock.prototype.now.call(clock) + seconds * 1000;
  };
  const get = async (
    { access_token: token }: Pick<Tokens, 'access_token'>,
    path = '',
  ): Promise<Answer> => api.request('GET', `/payments${path}`, { token });

  it('admits a user for the given time after a login', async () => {
    const { tokens } = await api.newUser();

    expect((await get(tokens)).status).toBe(200);
    expect((await get(tokens, '/strict')).status).toBe(200);
    later(61);
    expect((await get(tokens)).status).toBe(200);
    expect(await get(tokens, '/strict')).toMatchObject(NEEDED);
    later(601);
    expect(await get(tokens)).toMatchObject(NEEDED);
  });

  it('admits a user again after a reauthentication, and not after a refresh', async () => {
    const { tokens } = await api.newUser();
    later(601);

    const { body: refreshed } = await api.refresh(tokens.refresh_token);
    expect(await get(refreshed)).toMatchObject(NEEDED);

    const { body: raised } = await api.request<Tokens>('POST', '/api/user/reauthentication', {
      token: refreshed.access_token,
      body: { password: GOOD_PASSWORD },
    });
    expect((await get(raised)).status).toBe(200);
    expect(await get(refreshed)).toMatchObject(NEEDED);
  });

  it('requires a user, also on a public route', async () => {
    const { body: admin } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const account = await createAccount(api, admin.access_token);

    expect(await get({ access_token: await tokenOf(api, account) })).toMatchObject({
      status: 403,
      body: { code: 'user-required' },
    });
    expect(await api.request('GET', '/payments/public')).toMatchObject({
      status: 401,
      body: { code: 'missing-token' },
    });
  });
});
