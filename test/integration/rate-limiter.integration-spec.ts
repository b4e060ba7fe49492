import { jest } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';

import { Clock } from '../../src/common/clock/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { guessCount } from '../../src/rate-limit/failure-counts.js';
import {
  RateLimiter,
  UndecidedAttemptError,
  type AttemptResult,
  type GuessLimit,
  type GuessResult,
  type Proof,
} from '../../src/rate-limit/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { eventually } from '../support/own-cluster.js';
import { withRedis } from '../support/redis.js';
import { testSettings } from '../support/test-app.js';

describe('the rate limiter', () => {
  const redis = new RedisCluster({ ...testSettings({}).redis, keyPrefix: `t-${randomUUID()}:` });
  afterAll(async () => redis.onApplicationShutdown());

  const limit = { name: 'test', failures: 3, siteFailures: 8, windowMs: 60_000 };
  const limiter = new RateLimiter(redis, {}, new Clock());
  const attempt = async (
    subject: string,
    result: AttemptResult,
    windowMs = limit.windowMs,
  ): Promise<boolean> => {
    const made = await limiter.attempt({ ...limit, windowMs }, subject, Deadline.none, () =>
      Promise.resolve({ value: 'made', result }),
    );
    return made === 'made';
  };

  it('refuses after the maximum number of failures, with the time to wait', async () => {
    const subject = randomUUID();
    for (let count = 0; count < 3; count += 1) {
      expect(await attempt(subject, 'failed')).toBe(true);
    }

    expect(await attempt(subject, 'void')).toBe(false);
    expect(await attempt(randomUUID(), 'void')).toBe(true);
    const refused = await limiter.attempt(limit, subject, Deadline.none, () =>
      Promise.reject(new Error('no')),
    );
    expect(refused).toMatchObject({ outcome: 'too-many-attempts' });
    expect((refused as { retryAfterSeconds: number }).retryAfterSeconds).toBeGreaterThan(50);
  });

  it('counts neither successes nor attempts that throw', async () => {
    const subject = randomUUID();
    for (let count = 0; count < 10; count += 1) {
      expect(await attempt(subject, 'void')).toBe(true);
      const thrown = limiter.attempt(limit, subject, Deadline.none, () =>
        Promise.reject(new Error('no end')),
      );
      await expect(thrown).rejects.toThrow('no end');
    }
  });

  it('counts an attempt whose caller has timed out when its result is known', async () => {
    const subject = randomUUID();
    const results = ['failed', 'void', 'failed', 'failed'] as const;
    for (const result of results) {
      const thrown = limiter.attempt(limit, subject, Deadline.none, () =>
        Promise.reject(new UndecidedAttemptError('too late', Promise.resolve(result))),
      );
      await expect(thrown).rejects.toThrow('too late');
    }

    await eventually(
      'the failures are counted',
      5000,
      async () => !(await attempt(subject, 'void')),
    );
  });

  it('forgets failures outside the window', async () => {
    const subject = randomUUID();
    for (let count = 0; count < 3; count += 1) {
      await attempt(subject, 'failed', 2000);
    }
    expect(await attempt(subject, 'failed', 2000)).toBe(false);

    await eventually('the window has passed', 5000, () => attempt(subject, 'void', 2000));
  });

  const networkOfSite = (site: number, network: number): string =>
    `2001:db8:${site.toString(16)}:${network.toString(16)}::`;

  it.each(['attempt', 'count'] as const)(
    'limits failures of a site with many networks, and of each network: %s',
    async (kind) => {
      const own = { ...limit, name: `site-${randomUUID()}` };
      const fail = async (network: string): Promise<boolean> => {
        const refusal =
          kind === 'count'
            ? await limiter.count(own, network, Deadline.none)
            : await limiter.attempt(own, network, Deadline.none, () =>
                Promise.resolve({ value: undefined, result: 'failed' }),
              );
        return refusal === undefined;
      };
      const results = [];
      // Four failures of the first network, and 20 of other networks.
      for (const network of [0, 0, 0, 0, ...Array.from({ length: 20 }, (_, index) => index + 1)]) {
        results.push(await fail(networkOfSite(1, network)));
      }

      const isRoom = [true, true, true, false, true, true, true, true, true];
      expect(results).toEqual([...isRoom, ...Array<boolean>(15).fill(false)]);
      expect(await fail(networkOfSite(2, 0))).toBe(true);
    },
  );

  it('enforces the limit of a site for 100 concurrent networks, on all instances (59)', async () => {
    const own = { ...limit, name: `site-${randomUUID()}` };
    const instances = Array.from({ length: 4 }, () => new RateLimiter(redis, {}, new Clock()));

    const refusals = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        instances[index % 4]!.count(own, networkOfSite(1, index), Deadline.none),
      ),
    );

    expect(refusals.filter((refusal) => refusal === undefined)).toHaveLength(limit.siteFailures);
  });

  describe('at a limit that the instance has cached', () => {
    class MovedClock extends Clock {
      offsetMs = 0;
      override monotonic(): number {
        return super.monotonic() + this.offsetMs;
      }
    }
    const commands = jest.spyOn(redis, 'run');
    const fill = async (filled: RateLimiter, network: string): Promise<void> => {
      for (let made = 0; made < limit.failures; made += 1) {
        expect(await filled.count(limit, network, Deadline.none)).toBeUndefined();
      }
      expect(await filled.count(limit, network, Deadline.none)).toBeDefined();
      commands.mockClear();
    };

    it('refuses without a call to Redis, with the remaining time', async () => {
      const clock = new MovedClock();
      const cachingLimiter = new RateLimiter(redis, {}, clock);
      const network = randomUUID();
      await fill(cachingLimiter, network);

      clock.offsetMs = limit.windowMs / 2;
      const counted = await cachingLimiter.count(limit, network, Deadline.none);
      const attempted = await cachingLimiter.attempt(limit, network, Deadline.none, () =>
        Promise.reject(new Error('no')),
      );

      expect(commands).not.toHaveBeenCalled();
      for (const refusal of [counted, attempted]) {
        expect(refusal).toMatchObject({ outcome: 'too-many-attempts' });
        const { retryAfterSeconds } = refusal as { retryAfterSeconds: number };
        expect(retryAfterSeconds).toBeGreaterThan(0);
        expect(retryAfterSeconds).toBeLessThanOrEqual(limit.windowMs / 2000);
      }
    });

    it('refuses no longer than Redis would, and then calls Redis again', async () => {
      const clock = new MovedClock();
      const cachingLimiter = new RateLimiter(redis, {}, clock);
      const network = randomUUID();
      await fill(cachingLimiter, network);

      clock.offsetMs = limit.windowMs;
      await cachingLimiter.count(limit, network, Deadline.none);

      expect(commands).toHaveBeenCalledTimes(1);
    });

    it('refuses every network of the site without a call to Redis, and no other network', async () => {
      const own = { ...limit, name: `site-${randomUUID()}`, siteFailures: 1 };
      await limiter.count(own, networkOfSite(1, 0), Deadline.none);
      await limiter.count(own, networkOfSite(1, 1), Deadline.none);
      commands.mockClear();

      expect(await limiter.count(own, networkOfSite(1, 2), Deadline.none)).toBeDefined();
      expect(commands).not.toHaveBeenCalled();
      expect(await limiter.count(own, networkOfSite(2, 0), Deadline.none)).toBeUndefined();
      expect(await limiter.count(limit, networkOfSite(1, 2), Deadline.none)).toBeUndefined();
    });
  });

  it('serializes concurrent attempts, on all instances (59)', async () => {
    const subject = randomUUID();
    const instances = Array.from({ length: 4 }, () => new RateLimiter(redis, {}, new Clock()));
    let made = 0;
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        instances[index % 4]!.attempt(limit, subject, Deadline.none, () => {
          made += 1;
          return Promise.resolve({ value: 'made', result: 'failed' as const });
        }),
      ),
    );

    expect(made).toBe(3);
    expect(results.filter((result) => result === 'made')).toHaveLength(3);
  });

  it('does not block one counter when the queue of another is full', async () => {
    const subjects = { flooded: randomUUID(), other: randomUUID() };
    let open: () => void = () => undefined;
    const opened = new Promise<void>((done) => (open = done));
    const once = { name: 'line', failures: 1, siteFailures: 1, windowMs: 60_000 };
    const held = async (subject: string): Promise<unknown> =>
      limiter.attempt(once, subject, Deadline.none, async () => {
        await opened;
        return { value: 'made', result: 'void' };
      });
    let settled = 0;
    // One attempt in progress, a hundred in the queue, and no place for the rest.
    const flood = Array.from({ length: 150 }, async () => {
      const result = await held(subjects.flooded);
      settled += 1;
      return result;
    });
    await eventually('the line is full', 10_000, () => Promise.resolve(settled === 49));
    const others = [held(subjects.other), held(subjects.other)];

    open();

    expect(await Promise.all(others)).toEqual(['made', 'made']);
    const results = await Promise.all(flood);
    expect(results.filter((result) => result === 'made')).toHaveLength(101);
    expect(results.filter((result) => result !== 'made')).toEqual(
      Array(49).fill({ outcome: 'too-many-attempts', retryAfterSeconds: 1 }),
    );
  });
});

describe('guesses at an account', () => {
  const keyPrefix = `t-${randomUUID()}:`;
  const redis = new RedisCluster({ ...testSettings({}).redis, keyPrefix });
  afterAll(async () => redis.onApplicationShutdown());

  const limiter = new RateLimiter(redis, {}, new Clock());
  const MINUTE_MS = 60_000;
  const limit: GuessLimit = {
    name: 'guess',
    failures: 3,
    blockMs: 15 * MINUTE_MS,
    maxBlockMs: 60 * MINUTE_MS,
    ceiling: 8,
    ceilingBlockMs: 600 * MINUTE_MS,
    memoryMs: 100 * MINUTE_MS,
  };
  const device = (id: string, generation = 1): Proof => ({ kind: 'device', id, generation });
  const session = (id: string, generation = 1): Proof => ({ kind: 'session', id, generation });
  /** @returns true if the guess counted for the caller, or the number of seconds to wait */
  const guess = async (
    account: string,
    result: GuessResult,
    proof?: Proof,
  ): Promise<boolean | number> => {
    const made = await limiter.guess(limit, account, proof, Deadline.none, (isKnown) =>
      Promise.resolve({ value: isKnown, result }),
    );
    return typeof made === 'boolean' ? made : made.retryAfterSeconds;
  };
  const failures = async (account: string, count: number, proof?: Proof): Promise<void> => {
    for (let made = 0; made < count; made += 1) {
      expect(await guess(account, 'failed', proof)).toEqual(expect.any(Boolean));
    }
  };
  const keyOf = (account: string): string => {
    const digest = createHash('sha256').update(account).digest('base64url');
    return `${keyPrefix}v1:{guess.${digest}}:guesses`;
  };
  /** Moves the account to the state after its block has ended. */
  const endBlock = async (account: string, lane = 'strangers'): Promise<void> =>
    withRedis(async (_, cluster) => {
      const state = (await cluster.hget(keyOf(account), `lane.${lane}`))!;
      const [count, , forgottenAt] = state.split(' ');
      await cluster.hset(keyOf(account), `lane.${lane}`, `${count} 0 ${forgottenAt}`);
    });

  it('block strangers for a time that doubles up to a maximum, and for long from the maximum count on (57)', async () => {
    const account = randomUUID();
    const blocks = [];
    await failures(account, 3);
    for (let failure = 3; failure <= 9; failure += 1) {
      const seconds = await guess(account, 'void');
      blocks.push(Math.ceil(Number(seconds) / 60));
      await endBlock(account);
      await failures(account, 1);
    }

    expect(blocks).toEqual([15, 30, 60, 60, 60, 600, 600]);
  });

  it('are serialized after the first block, on all instances (59)', async () => {
    const account = randomUUID();
    await failures(account, 3);
    await endBlock(account);
    const instances = Array.from({ length: 4 }, () => new RateLimiter(redis, {}, new Clock()));
    let made = 0;

    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        instances[index % 4]!.guess(limit, account, undefined, Deadline.none, () => {
          made += 1;
          return Promise.resolve({ value: 'made', result: 'failed' as const });
        }),
      ),
    );

    expect(made).toBe(1);
    expect(results.filter((result) => result === 'made')).toHaveLength(1);
  });

  it('are limited to the free guesses for 200 concurrent calls, on all instances (59)', async () => {
    const account = randomUUID();
    const instances = Array.from({ length: 4 }, () => new RateLimiter(redis, {}, new Clock()));
    let made = 0;

    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        instances[index % 4]!.guess(limit, account, undefined, Deadline.none, () => {
          made += 1;
          return Promise.resolve({ value: 'made', result: 'failed' as const });
        }),
      ),
    );

    expect(made).toBe(3);
  });

  it('are cleared by a success of the same lane: a stranger clears strangers, a device only its own lane', async () => {
    const account = randomUUID();
    await failures(account, 2);
    await failures(account, 2, device('a'));
    await guess(account, 'reset', device('a'));
    await failures(account, 2, device('a'));
    // The third failure of strangers: the success of the device has cleared none of them.
    await failures(account, 1);
    expect(await guess(account, 'void')).toBeGreaterThan(800);

    const cleared = randomUUID();
    await failures(cleared, 2);
    await guess(cleared, 'reset');
    await failures(cleared, 3);
    expect(await guess(cleared, 'void')).toBeGreaterThan(800);
  });

  it('of strangers never block a known device or a live session (62)', async () => {
    const account = randomUUID();
    await failures(account, 3);
    expect(await guess(account, 'void')).toBeGreaterThan(800);

    expect(await guess(account, 'reset', device('a'))).toBe(true);
    expect(await guess(account, 'failed', session('s'))).toBe(true);
    expect(await guess(account, 'void')).toBeGreaterThan(800);
  });

  it('turn a device into a stranger, and block a session, when its own failures reach the limit', async () => {
    const account = randomUUID();
    await failures(account, 3, device('a'));
    expect(await guess(account, 'void', device('a'))).toBe(false);
    expect(await guess(account, 'void', device('b'))).toBe(true);
    await failures(account, 3);
    expect(await guess(account, 'void', device('a'))).toBeGreaterThan(800);

    await failures(account, 3, session('s'));
    expect(await guess(account, 'void', session('s'))).toBeGreaterThan(800);
    expect(await guess(account, 'void', session('t'))).toBe(true);
  });

  it('cannot be multiplied by many devices or sessions, in sequence or concurrently', async () => {
    for (const inParallel of [false, true]) {
      const account = randomUUID();
      let made = 0;
      const fail = async (proof: Proof): Promise<unknown> =>
        limiter.guess(limit, account, proof, Deadline.none, () => {
          made += 1;
          return Promise.resolve({ value: 'made', result: 'failed' as const });
        });
      const proofs = Array.from({ length: 160 }, (_, index) =>
        index % 2 === 0 ? device(`d-${index % 40}`) : session(`s-${index % 40}`),
      );
      if (inParallel) {
        await Promise.all(proofs.map(fail));
      } else {
        for (const proof of proofs) {
          await fail(proof);
        }
      }

      // Ten devices and ten sessions with all their guesses, and the guesses of strangers.
      expect(made).toBe(2 * 10 * 3 + 3);
    }
  });

  it.each([
    ['devices', 'session', device, session],
    ['sessions', 'device', session, device],
  ] as const)(
    'of many %s and of strangers never block a %s: each kind has its own lanes (62)',
    async (_, __, proofOf, ownProof) => {
      const account = randomUUID();
      for (let index = 0; index < 12; index += 1) {
        await guess(account, 'failed', proofOf(`old-${index}`));
      }
      // The remaining guesses of strangers.
      for (let made = 0; made < 3; made += 1) {
        await guess(account, 'failed');
      }
      expect(await guess(account, 'void', proofOf('one more'))).toBeGreaterThan(800);

      expect(await guess(account, 'void', ownProof('own'))).toBe(true);
    },
  );

  it.each([
    ['devices', device],
    ['sessions', session],
  ] as const)(
    'by %s of an older password do not count, and are removed (62)',
    async (_, proofOf) => {
      const account = randomUUID();
      for (let index = 0; index < 10; index += 1) {
        await failures(account, 3, proofOf(`old-${index}`, 1));
      }
      await failures(account, 3);
      expect(await guess(account, 'void', proofOf('old-10', 1))).toBeGreaterThan(800);

      for (let index = 0; index < 10; index += 1) {
        expect(await guess(account, 'failed', proofOf(`new-${index}`, 2))).toBe(true);
      }
      const lanes = await withRedis(async (__, cluster) => cluster.hkeys(keyOf(account)));
      expect(lanes.filter((lane) => lane.includes('old-'))).toEqual([]);
      expect(lanes).toHaveLength(11);
    },
  );

  it('are stored only as long as they count (64)', async () => {
    const [few, blocked, forgiven] = [randomUUID(), randomUUID(), randomUUID()];
    await failures(few, 1);
    await failures(blocked, 3);
    await failures(forgiven, 2);
    await guess(forgiven, 'reset');

    const lives = await withRedis(async (_, cluster) =>
      Promise.all([few, blocked, forgiven].map((account) => cluster.pttl(keyOf(account)))),
    );

    expect(lives[0]).toBeGreaterThan(99 * MINUTE_MS);
    expect(lives[0]).toBeLessThanOrEqual(100 * MINUTE_MS);
    expect(lives[1]).toBeGreaterThan(299 * MINUTE_MS);
    expect(lives[1]).toBeLessThanOrEqual(300 * MINUTE_MS);
    expect(lives[2]).toBe(-2);
    // Waiting does not help: more failures are stored for longer.
    await endBlock(blocked);
    await failures(blocked, 1);
    const life = await withRedis(async (_, cluster) => cluster.pttl(keyOf(blocked)));
    expect(life).toBeGreaterThan(399 * MINUTE_MS);
  });

  describe('with a limit for the network of the caller', () => {
    const networkLimit = { name: 'network', failures: 3, siteFailures: 8, windowMs: 60_000 };
    const fromNetwork = async <T>(
      account: string,
      network: string,
      make: () => Promise<{ value: T | Promise<T>; result: GuessResult }>,
      prepare?: () => Promise<unknown>,
    ): Promise<unknown> =>
      limiter.guess(limit, account, undefined, Deadline.none, make, {
        perNetwork: { limit: networkLimit, network },
        prepare,
      });
    const failing = () => Promise.resolve({ value: 'made', result: 'failed' as const });
    const ignoring = () => Promise.resolve({ value: 'made', result: 'void' as const });
    const isNetworkFree = async (network: string): Promise<boolean> =>
      (await fromNetwork(randomUUID(), network, ignoring)) === 'made';

    it('count in both, and a success clears the count of the account only', async () => {
      const [account, network] = [randomUUID(), randomUUID()];
      await fromNetwork(account, network, failing);
      await fromNetwork(account, network, failing);
      await fromNetwork(account, network, () =>
        Promise.resolve({ value: 'made', result: 'reset' as const }),
      );
      expect(await isNetworkFree(network)).toBe(true);

      await fromNetwork(account, network, failing);

      expect(await isNetworkFree(network)).toBe(false);
      // The third failure since the success.
      await failures(account, 2);
      expect(await guess(account, 'void')).toBeGreaterThan(800);
    });

    it('do not touch the account, and prepare nothing, while the network is at its limit (58)', async () => {
      const [account, network] = [randomUUID(), randomUUID()];
      for (let count = 0; count < networkLimit.failures; count += 1) {
        await fromNetwork(randomUUID(), network, failing);
      }
      const prepare = jest.fn(() => Promise.resolve());

      expect(await fromNetwork(account, network, failing, prepare)).toMatchObject({
        outcome: 'too-many-attempts',
      });

      expect(prepare).not.toHaveBeenCalled();
      expect(await withRedis((_, cluster) => cluster.exists(keyOf(account)))).toBe(0);
    });

    it('do not count for the network while the account is at its limit', async () => {
      const [account, network] = [randomUUID(), randomUUID()];
      await failures(account, 3);
      const unprepared = (): Promise<never> => Promise.reject(new Error('not found'));

      for (let count = 0; count < 2 * networkLimit.failures; count += 1) {
        expect(await fromNetwork(account, network, failing, unprepared)).toMatchObject({
          outcome: 'too-many-attempts',
        });
      }

      expect(await isNetworkFree(network)).toBe(true);
    });

    it('do not count when they cannot be prepared, or when what follows them fails', async () => {
      const [account, network] = [randomUUID(), randomUUID()];
      const broken = (): Promise<never> => Promise.reject(new Error('broken'));
      for (let count = 0; count < 2 * networkLimit.failures; count += 1) {
        await expect(fromNetwork(account, network, failing, broken)).rejects.toThrow('broken');
        const followed = () => Promise.resolve({ value: broken(), result: 'reset' as const });
        await expect(fromNetwork(account, network, followed)).rejects.toThrow('broken');
      }

      await eventually('the reservations are released', 10_000, async () => isNetworkFree(network));
      expect(await guess(account, 'void')).toBe(false);
    });
  });

  it('are not counted when they throw, and are counted once when they are settled twice', async () => {
    const account = randomUUID();
    for (let count = 0; count < 10; count += 1) {
      const thrown = limiter.guess(limit, account, undefined, Deadline.none, () =>
        Promise.reject(new Error('no end')),
      );
      await expect(thrown).rejects.toThrow('no end');
    }
    const count = guessCount(redis, limit, account, undefined);
    await count.begin('a', Deadline.none);
    expect(await count.begin('a', Deadline.none)).toEqual({ waitMs: 0, isKnown: false });
    await count.end('a', 'failed', Deadline.none);
    await count.end('a', 'failed', Deadline.none);
    await count.begin('b', Deadline.none);
    await count.end('b', 'failed', Deadline.none);
    expect(await guess(account, 'void')).toBe(false);
    await failures(account, 1);
    expect(await guess(account, 'void')).toBeGreaterThan(800);
  });
});
