import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { Membership } from '../../src/near-cache/membership.js';
import {
  SESSION_LIMITS,
  SessionReader,
  UserReader,
  sessionCacheKey,
  userTag,
  type NewSession,
} from '../../src/user-slot/read/index.js';
import { SessionWriter, UserWriter } from '../../src/user-slot/write/index.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';
import { startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { untilConfirmed } from './population.js';

const KEY_PREFIX = 'scale-members:';

/**
 * Instances of the near cache, all in this process, with the default lease and real renewals. The first one makes all changes,
 * and has its own connections to Redis. The others share theirs.
 */
export class Members {
  private readonly instances: CacheInstance[] = [];
  private nextHolder = 0;

  constructor(private readonly cluster: EmbeddedCluster) {}

  get count(): number {
    return this.instances.length;
  }

  async growTo(count: number): Promise<void> {
    const variables = {
      REDIS_NODES: this.cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(','),
      REDIS_PASSWORD: this.cluster.password.reveal(),
    };
    while (this.count < count) {
      const connectedAs = this.instances[1];
      this.instances.push(
        await startCacheInstance(KEY_PREFIX, { variables, ...(connectedAs && { connectedAs }) }),
      );
    }
  }

  async close(): Promise<void> {
    const [changer, sharing, ...others] = this.instances;
    await Promise.all(others.map(async (member) => member.close()));
    await sharing?.close();
    await changer?.close();
  }

  /** @returns a session of a new user */
  async logIn(userId: string = randomUUID()): Promise<NewSession> {
    const { redis, cache } = this.changer;
    const user = { id: userId, username: userId, email: null, displayName: null, roles: [] };
    const users = new UserWriter(redis, cache, new UserReader(redis, cache));
    await users.create(user, new Secret('hash'), Deadline.none);
    const session: NewSession = {
      id: randomUUID(),
      userId,
      passwordVersion: 1,
      authentication: PASSWORD_LOGIN,
      accessToken: new Secret(randomUUID()),
      refreshToken: new Secret(randomUUID()),
      ip: '192.0.2.1',
      userAgent: 'a measurement',
    };
    const sessions = new SessionWriter(redis, cache, SESSION_LIMITS);
    const { outcome } = await sessions.start(session, Deadline.none);
    if (outcome !== 'started') {
      throw new Error('a session was refused');
    }
    return session;
  }

  /** @returns a session that the changer and this many others hold. The others take turns */
  async logInHeldBy(others: number, userId?: string): Promise<NewSession> {
    const session = await untilConfirmed(async () => this.logIn(userId));
    const candidates = this.instances.slice(1);
    const holders = Array.from({ length: others }, (_, index) => {
      return candidates[(this.nextHolder + index) % candidates.length]!;
    });
    this.nextHolder += others;
    await Promise.all(
      [this.changer, ...holders].map(async (member) =>
        untilConfirmed(async () => hold(member, session)),
      ),
    );
    return session;
  }

  /** Repeats the call if it was not confirmed, as a client would. */
  async logOut({ userId, id }: NewSession): Promise<void> {
    const { redis, cache } = this.changer;
    const sessions = new SessionWriter(redis, cache, SESSION_LIMITS);
    await untilConfirmed(async () => sessions.end(userId, id, Deadline.none));
  }

  /** Calls of all members to Redis so far, by script or command. */
  calls(): ReadonlyMap<string, number> {
    const calls = new Map<string, number>();
    // The third and further members share the calls of the second.
    for (const { redis } of this.instances.slice(0, 2)) {
      for (const [{ call = '' }, tally] of redis.calls.durations) {
        const count = tally
          .valuesOf('calls', {})
          .find(({ metricName }) => metricName === 'calls_count');
        calls.set(call, (calls.get(call) ?? 0) + Number(count?.value));
      }
    }
    return calls;
  }

  /** A new user on a master, `host:port`. */
  newUserOn(master: string): string {
    const { redis } = this.changer;
    let id = randomUUID();
    while (redis.masterOf(redis.keys.key(userTag(id), 'record')) !== master) {
      id = randomUUID();
    }
    return id;
  }

  /** MEMORY USAGE of the directory of a user. */
  async directoryBytes(userId: string): Promise<number> {
    return this.bytesOf(this.changer.redis.keys.key(userTag(userId), 'holders'));
  }

  /** MEMORY USAGE of the inboxes of all members, without posts. */
  async inboxBytes(): Promise<readonly number[]> {
    const keys = this.instances.map(({ context }) => context.get(Membership).leaseKey);
    return Promise.all(keys.map(async (key) => this.bytesOf(key)));
  }

  private async bytesOf(key: string): Promise<number> {
    const port = Number(this.changer.redis.masterOf(key)?.split(':').at(-1));
    return Number(await this.cluster.call(port, 'MEMORY', 'USAGE', key, 'SAMPLES', 0));
  }

  private get changer(): CacheInstance {
    return this.instances[0]!;
  }
}

async function hold({ redis, cache }: CacheInstance, session: NewSession): Promise<void> {
  const { id: sessionId, userId, accessToken } = session;
  const token = { token: accessToken.reveal(), userId, sessionId };
  const reader = new SessionReader(redis, cache, SESSION_LIMITS);
  await reader.stateOf(sessionCacheKey(userId, sessionId), true, async (read) =>
    reader.use(token, true, Deadline.none, read),
  );
}
