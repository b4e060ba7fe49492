import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { SESSION_LIMITS, type NewSession } from '../../src/user-slot/read/index.js';
import { SessionWriter } from '../../src/user-slot/write/index.js';
import { PASSWORD_LOGIN } from './authentication.js';
import type { CacheInstance } from './near-cache.js';
import { usersOn } from './users.js';

/** Creates a user in Redis. @returns the id */
export async function createdUser(instance: CacheInstance): Promise<string> {
  const id = randomUUID();
  const user = { id, username: id, usernameKey: id, email: null, displayName: null, roles: [] };
  const { writer } = usersOn(instance);
  await writer.create(user, new Secret('hash'), Deadline.none);
  await writer.confirm(id, Deadline.none);
  return id;
}

/** Starts a session of a user who has the first password. */
export async function startedSession(instance: CacheInstance, userId: string): Promise<NewSession> {
  const session: NewSession = {
    id: randomUUID(),
    userId,
    passwordVersion: 1,
    authentication: PASSWORD_LOGIN,
    accessToken: new Secret(randomUUID()),
    refreshToken: new Secret(randomUUID()),
    ip: '192.0.2.1',
    userAgent: 'a test',
  };
  const writer = new SessionWriter(instance.redis, instance.cache, SESSION_LIMITS);
  expect(await writer.start(session, Deadline.none)).toEqual({ outcome: 'started' });
  return session;
}
