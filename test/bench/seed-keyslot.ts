import { writeFileSync } from 'node:fs';

import { createApp } from '../../src/bootstrap/create-app.js';
import { untilReady } from '../../src/bootstrap/until-ready.js';
import { AuthService } from '../../src/auth/auth.service.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { loadSettings } from '../../src/config/index.js';
import { Argon2PasswordHasher, UsersService, type PasswordHasher } from '../../src/users/index.js';
import { inBatches } from './batches.js';
import { redisNodes } from './peers/peer.js';
import { PASSWORD, type SeededSession, type SeedOrder } from './seeded-session.js';

/**
 * Registers users and logs them in like the application, except for passwords: the common password is hashed once
 * and not verified. The resulting data in Redis equals the data that an instance writes.
 */
async function seed({ users, firstUser, sessionsPerUser }: SeedOrder): Promise<SeededSession[]> {
  const settings = loadSettings(process.env, 'no-such-file');
  const app = await createApp(
    { ...settings, redis: { ...settings.redis, nodes: redisNodes() } },
    { passwordHasher: { useValue: oneHashForAll() } },
  );
  await app.init();
  await untilReady(app);
  const registry = app.get(UsersService, { strict: false });
  const usernames = Array.from({ length: users }, (_, index) => `user-${firstUser + index}`);
  await inBatches(users, async (index) => {
    const registration = {
      username: usernames[index]!,
      password: new Secret(PASSWORD),
      email: `${usernames[index]}@example.com`,
      displayName: `User ${firstUser + index}`,
    };
    await registry.register(registration, Origin.system, Deadline.after(10_000));
  });
  const auth = app.get(AuthService, { strict: false });
  const sessions = await inBatches(users * sessionsPerUser, async (index) =>
    logIn(auth, usernames[index % users]!),
  );
  await app.close();
  return sessions;
}

function oneHashForAll(): PasswordHasher {
  const hasher = new Argon2PasswordHasher();
  const hash = hasher.hash(new Secret(PASSWORD));
  return {
    hash: () => hash,
    verify: () => Promise.resolve(true),
    isOutdated: () => false,
  };
}

async function logIn(auth: AuthService, username: string): Promise<SeededSession> {
  const login = { username, password: new Secret(PASSWORD), ip: '127.0.0.1', userAgent: 'seed' };
  const result = await auth.login(login, Origin.system, Deadline.after(10_000));
  if (result.outcome !== 'logged-in') {
    throw new Error(`${username} cannot log in: ${result.outcome}`);
  }
  const { accessToken, refreshToken } = result.tokens;
  return {
    username,
    header: `Authorization: Bearer ${accessToken.reveal()}`,
    refreshToken: refreshToken.reveal(),
  };
}

const [order = '', file = ''] = process.argv.slice(2);
writeFileSync(file, JSON.stringify(await seed(JSON.parse(order) as SeedOrder)));
process.exit(0);
