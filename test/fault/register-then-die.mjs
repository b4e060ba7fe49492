// Registers or invites a user, or takes the role from an administrator, in a process that kills itself before or after the n-th
// step in Redis.
// Usage: node register-then-die.mjs <username> <step> before|after
//        node register-then-die.mjs --invite=<username> <step> before|after
//        node register-then-die.mjs --demote=<user id> <step> before|after
import { NestFactory } from '@nestjs/core';
import { Deadline } from '../../dist/common/deadline/index.js';
import { Origin } from '../../dist/common/origin/index.js';
import { Secret } from '../../dist/common/secret/index.js';
import { AuditModule } from '../../dist/audit/index.js';
import { MailDelivery, MailModule } from '../../dist/mail/index.js';
import { MetricsModule } from '../../dist/metrics/index.js';
import { NearCache, NearCacheModule } from '../../dist/near-cache/index.js';
import { RateLimitModule } from '../../dist/rate-limit/index.js';
import { RedisCluster, RedisClusterModule } from '../../dist/redis-cluster/index.js';
import { RoleReader } from '../../dist/roles/index.js';
import { SessionReader } from '../../dist/user-slot/read/index.js';
import { Registrations } from '../../dist/users/registrations.js';
import { UserAdministration, UsersModule, UsersService } from '../../dist/users/index.js';

const [username, step, moment] = process.argv.slice(2);
const [, demotedId] = username.split('--demote=');
const [, invited] = username.split('--invite=');
const nodes = process.env.TEST_REDIS_NODES.split(',').map((node) => {
  const [host, port] = node.split(':');
  return { host, port: Number(port) };
});

// This process stores mails, and others send them.
MailDelivery.prototype.onApplicationBootstrap = () => undefined;

const context = await NestFactory.createApplicationContext(
  {
    module: class {},
    imports: [
      RedisClusterModule.forRoot({
        nodes,
        username: process.env.TEST_REDIS_USERNAME,
        password: new Secret(process.env.TEST_REDIS_PASSWORD),
        keyPrefix: process.env.TEST_KEY_PREFIX,
      }),
      MetricsModule,
      AuditModule.forRoot({}),
      NearCacheModule.forRoot({}),
      RateLimitModule.forRoot({}),
      MailModule.forRoot({ publicUrl: 'http://127.0.0.1', isLogged: true }),
      // In place of GuardModule and SessionsModule: this process has no routes.
      {
        module: class {},
        global: true,
        providers: [
          {
            provide: RoleReader,
            inject: [RedisCluster, NearCache],
            useFactory: (redis, cache) => new RoleReader(redis, cache, {}),
          },
          {
            provide: SessionReader,
            inject: [RedisCluster, NearCache],
            useFactory: (redis, cache) => new SessionReader(redis, cache, {}),
          },
        ],
        exports: [RoleReader, SessionReader],
      },
      UsersModule.forRoot({
        isRegistrationOpen: true,
        nameClaimTtlMs: Number(process.env.TEST_CLAIM_TTL_MS),
      }),
    ],
  },
  { logger: false },
);

/** Go on beside every registration, or after it. */
const BESIDE = ['renew-inbox.lua', 'correct-entry.lua'];

const redis = context.get(RedisCluster);
const runDurably = redis.runDurably.bind(redis);
let count = 0;
redis.runDurably = async (...call) => {
  const [script] = call;
  if (BESIDE.includes(script.name)) {
    return runDurably(...call);
  }
  // Some steps run beside each other.
  const own = (count += 1);
  if (own === Number(step) && moment === 'before') {
    process.kill(process.pid, 'SIGKILL');
  }
  const reply = await runDurably(...call);
  if (own === Number(step) && moment === 'after') {
    process.kill(process.pid, 'SIGKILL');
  }
  return reply;
};

const password = new Secret(process.env.TEST_PASSWORD);
const operations = {
  register: async () =>
    context.get(UsersService).register({ username, password }, Origin.system, Deadline.none),
  invite: async () =>
    context
      .get(Registrations)
      .registerFor(
        { kind: 'client', permissions: ['users:write'] },
        { username: invited, email: `${invited}@example.com` },
        Origin.system,
        Deadline.none,
      ),
  demote: async () =>
    context
      .get(UserAdministration)
      .change('system', demotedId, { roles: [] }, Origin.system, Deadline.none),
};
const operation = demotedId ? 'demote' : invited ? 'invite' : 'register';
const { outcome } = await operations[operation]();
process.stdout.write(`${outcome} after ${count} steps`);
await context.close();
