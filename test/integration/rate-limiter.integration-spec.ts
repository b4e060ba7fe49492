import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import {
  RateLimiter,
  UndecidedAttemptError,
  type AttemptResult,
} from '../../src/rate-limit/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { eventually } from '../support/own-cluster.js';
import { testSettings } from '../support/test-app.js';

describe('the rate limiter', () => {
  const redis = new RedisCluster({ ...testSettings({}).redis, keyPrefix: `t-${randomUUID()}:` });
  afterAll(async () => redis.onApplicationShutdown());

  const limit = { name: 'test', failures: 3, windowMs: 60_000 };
  const limiter = new RateLimiter(redis, {});
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

  it('refuses after as many failures as it allows, with the time to wait', async () => {
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

  it('counts neither successes nor attempts that came to no end', async () => {
    const subject = randomUUID();
    for (let count = 0; count < 10; count += 1) {
      expect(await attempt(subject, 'void')).toBe(true);
      const thrown = limiter.attempt(limit, subject, Deadline.none, () =>
        Promise.reject(new Error('no end')),
      );
      await expect(thrown).rejects.toThrow('no end');
    }
  });

  it('counts an attempt whose caller has given up, when its result is known', async () => {
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

  it('forgives earlier failures when told to', async () => {
    const subject = randomUUID();
    for (const result of ['failed', 'failed', 'reset', 'failed', 'failed', 'failed'] as const) {
      expect(await attempt(subject, result)).toBe(true);
    }
    expect(await attempt(subject, 'void')).toBe(false);
  });

  it('lets failures leave the window', async () => {
    const subject = randomUUID();
    for (let count = 0; count < 3; count += 1) {
      await attempt(subject, 'failed', 2000);
    }
    expect(await attempt(subject, 'failed', 2000)).toBe(false);

    await eventually('the window has passed', 5000, () => attempt(subject, 'void', 2000));
  });

  it('makes attempts at the same time wait for each other’s outcome, on all instances (59)', async () => {
    const subject = randomUUID();
    const instances = Array.from({ length: 4 }, () => new RateLimiter(redis, {}));
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
});
