import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppModule } from '../../src/app.module.js';
import { AccessTokenIssuer } from '../../src/auth/access-token-issuer.js';
import { VerifiedTokens } from '../../src/guard/verified-tokens.js';
import { AccessTokenValidator } from '../../src/auth/index.js';
import { untilReady } from '../../src/bootstrap/until-ready.js';
import { loadSettings } from '../../src/config/index.js';
import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { createLogs, NestLogger } from '../../src/logging/index.js';
import { NearCache } from '../../src/near-cache/index.js';
import { LocalStore } from '../../src/near-cache/local-store.js';
import { SessionsService } from '../../src/sessions/index.js';
import { SessionReader } from '../../src/user-slot/read/index.js';
import { RedisAccounts } from '../../src/users/index.js';

/** An instance without its HTTP server, and the parts of it that are measured. */
export interface ScaleInstance {
  readonly context: INestApplicationContext;
  readonly store: RedisAccounts;
  readonly sessions: SessionsService;
  readonly sessionReader: SessionReader;
  readonly cache: NearCache;
  readonly issuer: AccessTokenIssuer;
  readonly validator: AccessTokenValidator;
  readonly verified: VerifiedTokens;
  readonly memory: LocalStore;
}

export async function startScaleInstance(
  cluster: EmbeddedCluster,
  variables: Readonly<Record<string, string>> = {},
): Promise<ScaleInstance> {
  const nodes = cluster.addresses;
  const settings = loadSettings(
    {
      REDIS_NODES: nodes.map(({ host, port }) => `${host}:${port}`).join(','),
      REDIS_PASSWORD: cluster.password.reveal(),
      KEY_ENCRYPTION_SECRET: 'a secret that only this measurement knows about',
      JWT_ISSUER: 'https://keyslot.test',
      LOG_LEVEL: 'error',
      ...variables,
    },
    'no-such-file',
  );
  const context = await NestFactory.createApplicationContext(
    AppModule.forRoot({ ...settings, redis: { ...settings.redis, nodes } }),
    { logger: new NestLogger(createLogs(settings.logLevel).logger), abortOnError: false },
  );
  await untilReady(context);
  const get = <T>(type: new (...args: never[]) => T): T => context.get<T>(type, { strict: false });
  return {
    context,
    store: get(RedisAccounts),
    sessions: get(SessionsService),
    sessionReader: get(SessionReader),
    cache: get(NearCache),
    issuer: get(AccessTokenIssuer),
    validator: get(AccessTokenValidator),
    verified: get(VerifiedTokens),
    memory: get(LocalStore),
  };
}
