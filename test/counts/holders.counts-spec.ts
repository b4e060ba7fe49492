import { Deadline } from '../../src/common/deadline/index.js';
import { Inboxes } from '../../src/near-cache/inboxes.js';
import {
  SESSION_LIMITS,
  sessionCacheKey,
  SessionReader,
  type NewSession,
} from '../../src/user-slot/read/index.js';
import { SessionWriter } from '../../src/user-slot/write/index.js';
import { productScripts } from '../support/lua-script.js';
import { startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { RedisCostMeter, type RedisCost } from '../support/redis-cost.js';
import { createdUser, startedSession } from '../support/started-session.js';

/** So long that no renewal occurs while the test counts. */
const LEASE_MS = 600_000;

/** The cost of a logout by the number of instances and of those that hold the session. See docs/scaling.md. */
describe('a logout costs Redis', () => {
  let own: OwnCluster;
  let meter: RedisCostMeter;
  let instances: CacheInstance[];
  const prefix = 't-holders:';
  beforeAll(async () => {
    own = await startOwnCluster();
    meter = new RedisCostMeter(own);
    await meter.loadScripts();
    instances = [];
  });
  afterAll(async () => {
    await Promise.all(instances.slice(1).map(async (instance) => instance.close()));
    await instances[0]?.close();
    meter.close();
    await own.remove();
  });

  const runInstances = async (count: number): Promise<void> => {
    while (instances.length < count) {
      const [connectedAs] = instances;
      const options = {
        leaseMs: LEASE_MS,
        variables: own.variables,
        ...(connectedAs && { connectedAs }),
      };
      instances.push(await startCacheInstance(prefix, options));
    }
  };
  const login = async (): Promise<NewSession> => {
    const userId = await createdUser(instances[0]!);
    return startedSession(instances[0]!, userId);
  };
  const holdBy = async ({ redis, cache }: CacheInstance, session: NewSession): Promise<string> => {
    const reader = new SessionReader(redis, cache, SESSION_LIMITS);
    const { id: sessionId, userId, accessToken } = session;
    const token = { token: accessToken.reveal(), userId, sessionId };
    const { state } = await reader.stateOf(sessionCacheKey(userId, sessionId), true, (read) =>
      reader.use(token, true, Deadline.none, read),
    );
    return state;
  };
  /** The cost of a logout on the first instance, which holds the session, as `others` other instances do. */
  const logoutHeldBy = async (others: number): Promise<RedisCost> => {
    const [changer, ...rest] = instances;
    const prepare = async (): Promise<NewSession> => {
      const session = await login();
      for (const holder of [changer!, ...rest.slice(0, others)]) {
        expect(await holdBy(holder, session)).toBe('live');
      }
      return session;
    };
    const { redis, cache } = changer!;
    const writer = new SessionWriter(redis, cache, SESSION_LIMITS);
    const { roundTrips, commands } = await meter.of(prepare, async ({ userId, id }) => {
      expect(await writer.end(userId, id, Deadline.none)).toBe(true);
    });
    // Posts to several shards are sent at the same time.
    const posts = roundTrips.filter((text) => text.startsWith('post '));
    expect(roundTrips).toEqual([
      'end-session wait',
      ...posts,
      ...Array.from({ length: others }, () => 'spublish'),
      'finish-changes',
    ]);
    expect(posts.join(' ').match(/post/g) ?? []).toHaveLength(others);
    return { roundTrips, commands };
  };

  const COMMANDS = (others: number): string =>
    [
      `evalsha ${2 + others}`,
      `hdel ${1 + others}`,
      'hget 3',
      'hgetall 1',
      `hmget ${1 + others}`,
      `hset ${5 + others}`,
      `pexpire ${1 + 2 * others}`,
      'pttl 1',
      ...(others > 0 ? [`spublish ${2 * others}`] : []),
      'time 2',
      ...(others > 0 ? [`zadd ${others}`] : []),
    ].join(', ');

  it('one round trip while no other instance holds the session', async () => {
    await runInstances(2);

    const { roundTrips, commands } = await logoutHeldBy(0);

    expect(roundTrips).toEqual(['end-session wait', 'finish-changes']);
    expect(commands).toBe(COMMANDS(0));
  });

  it.each([1, 3])(
    'a second round trip for %i other holders, with one post and one acknowledgement for each',
    async (others) => {
      await runInstances(4);

      expect((await logoutHeldBy(others)).commands).toBe(COMMANDS(others));
    },
  );

  it.each([2, 16, 64])(
    'the same with %i instances of which two hold the session',
    async (members) => {
      await runInstances(members);

      expect((await logoutHeldBy(1)).commands).toBe(COMMANDS(1));
    },
    120_000,
  );

  it('a renewal whose reply does not depend on the number of instances', async () => {
    await runInstances(16);
    const { redis, context } = instances[0]!;
    const inboxes = context.get(Inboxes);
    const instance = inboxes.newInstance();
    // Unparsed: the parser would hide additional data.
    const renewal = productScripts().find(({ name }) => name === 'renew-inbox.lua')!;
    const keys = [inboxes.leaseKey(instance), redis.keys.key(['inbox', instance], 'posts')];

    const replies: unknown[] = [];
    for (const number of [1, 2]) {
      const args = [number, 0, LEASE_MS, 100, number - 1];
      replies.push(await redis.runDurably(renewal, keys, args, Deadline.none));
    }

    expect(replies).toEqual(Array.from({ length: 2 }, () => ['renewed', 0, []]));
  });
});
