import { Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';

import {
  GuardModule,
  GuardProblemFilter,
  KeyRingModule,
  SessionReaderModule,
  type JwtAuthGuard,
} from '../../src/guard/index.js';
import { MetricsModule } from '../../src/metrics/index.js';
import { NearCacheModule } from '../../src/near-cache/index.js';
import { RedisClusterModule } from '../../src/redis-cluster/index.js';
import { startTestApp, type TestApp } from './test-app.js';

interface ServiceOptions {
  readonly keyPrefix?: string;
  readonly guard?: Type<JwtAuthGuard>;
}

/** The module of a service that checks the tokens of Keyslot's cluster and has nothing else of Keyslot. */
export function serviceModule(
  { settings }: TestApp,
  metadata: ModuleMetadata,
  { keyPrefix, guard }: ServiceOptions = {},
): Type {
  const { redis, jwt } = settings;
  class ServiceModule {}
  Module({
    ...metadata,
    imports: [
      MetricsModule,
      RedisClusterModule.forRoot({ ...redis, ...(keyPrefix === undefined ? {} : { keyPrefix }) }),
      NearCacheModule.forRoot({}),
      KeyRingModule.forRoot({ issuer: jwt.issuer! }),
      SessionReaderModule,
      GuardModule.forRoot({
        roles: { reviewer: ['notes:review'] },
        ...(guard ? { guard: { useClass: guard } } : {}),
      }),
      ...(metadata.imports ?? []),
    ],
    providers: [
      { provide: APP_FILTER, useClass: GuardProblemFilter },
      ...(metadata.providers ?? []),
    ],
  })(ServiceModule);
  return ServiceModule;
}

/** Three handlers of a service. */
export interface GuardedCalls {
  /**
   * `own` returns the name of the user. `drafts` requires the permission `notes:review`. `open` is public and returns the type of
   * the user.
   *
   * @returns the result of the handler, or the code of the problem
   */
  readonly call: (handler: 'own' | 'drafts' | 'open', token?: string) => Promise<string>;
  readonly close: () => Promise<unknown>;
}

/** The tests of the guard that are the same for every transport. */
export function itIsGuarded(start: (keyslot: TestApp) => Promise<GuardedCalls>): void {
  let keyslot: TestApp;
  let service: GuardedCalls;
  beforeAll(async () => {
    keyslot = await startTestApp();
    service = await start(keyslot);
  });
  afterAll(async () => {
    await service?.close();
    await keyslot.close();
  });

  it('refuses a call without a token, and with a forged one', async () => {
    expect(await service.call('own')).toBe('missing-token');
    expect(await service.call('own', 'e30.e30.c2ln')).toBe('invalid-token');
  });

  it('accepts the token of a user, and refuses it at the first call after the logout was answered', async () => {
    const { tokens, username } = await keyslot.newUser();
    const { access_token: token } = tokens;

    expect(await service.call('own', token)).toBe(username);
    // From memory.
    expect(await service.call('own', token)).toBe(username);
    expect((await keyslot.logout(token)).status).toBe(204);
    expect(await service.call('own', token)).toBe('invalid-token');
  });

  it('refuses a user without the required permission', async () => {
    const { tokens } = await keyslot.newUser();

    expect(await service.call('drafts', tokens.access_token)).toBe('forbidden');
    expect(await service.call('drafts')).toBe('missing-token');
  });

  it('serves a public handler without a token', async () => {
    expect(await service.call('open')).toBe('undefined');
  });
}
