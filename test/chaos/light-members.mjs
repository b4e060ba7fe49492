// Several light members of the cluster in one process. Each has a near cache and connections of its own, and answers who the
// user of a token is, like `GET /api/user` of an instance. Ports: the variable PORTS.
import { Controller, Get, Module } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

import { loadSettings } from '../../dist/config/index.js';
import {
  CurrentUser,
  GuardModule,
  GuardProblemFilter,
  KeyRingModule,
  Public,
  SessionReaderModule,
} from '../../dist/guard/index.js';
import { MetricsModule } from '../../dist/metrics/index.js';
import { NearCache, NearCacheModule } from '../../dist/near-cache/index.js';
import { RedisClusterModule } from '../../dist/redis-cluster/index.js';

const { redis, jwt } = loadSettings();

class MemberController {
  constructor(cache) {
    this.cache = cache;
  }

  user({ user }) {
    return { username: user.username, displayName: user.displayName };
  }

  ready() {
    return { status: this.cache.isTrusted ? 'ok' : 'not-ready' };
  }
}
Reflect.defineMetadata('design:paramtypes', [NearCache], MemberController);
Controller()(MemberController);
const route = (name, path, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(MemberController.prototype, name);
  for (const decorator of [Get(path), ...decorators]) {
    decorator(MemberController.prototype, name, descriptor);
  }
};
route('user', 'api/user');
CurrentUser()(MemberController.prototype, 'user', 0);
route('ready', 'health/ready', Public());

async function startMember(port) {
  class MemberModule {}
  Module({
    imports: [
      MetricsModule,
      RedisClusterModule.forRoot(redis),
      NearCacheModule.forRoot({}),
      KeyRingModule.forRoot({ issuer: jwt.issuer }),
      SessionReaderModule,
      GuardModule.forRoot({}),
    ],
    controllers: [MemberController],
    providers: [{ provide: APP_FILTER, useClass: GuardProblemFilter }],
  })(MemberModule);
  const app = await NestFactory.create(MemberModule, new FastifyAdapter(), { logger: ['error'] });
  app.enableShutdownHooks();
  await app.listen(port, '127.0.0.1');
  await app.get(NearCache).untilTrusted();
  return app;
}

const members = await Promise.all(process.env.PORTS.split(',').map(startMember));
console.log(`  API         ${await members[0].getUrl()}/api`);
