import { jest } from '@jest/globals';
import argon2 from 'argon2';

import { Deadline } from '../../common/deadline/index.js';
import { Secret } from '../../common/secret/index.js';
import type { HashingOptions } from '../users.options.js';
import { Argon2PasswordHasher } from './argon2-password-hasher.js';
import { HashingOverloadedError, HashingQueue } from './hashing-queue.js';

const password = new Secret('violet engines hum at dawn');

const queue = (hashing: Partial<HashingOptions> = {}): HashingQueue => {
  const options = { isRegistrationOpen: true, hashing };
  return new HashingQueue(new Argon2PasswordHasher(hashing), options);
};

describe('the queue of passwords', () => {
  it('makes Argon2id hashes with OWASP’s parameters, each with its own salt (52)', async () => {
    const hasher = queue();

    const [one, other] = await Promise.all([
      hasher.hash(password, Deadline.none),
      hasher.hash(password, Deadline.none),
    ]);

    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(other);
    expect(await hasher.verify(one, password, Deadline.none)).toBe(true);
    expect(await hasher.verify(one, new Secret('violet engines hum at dusk'), Deadline.none)).toBe(
      false,
    );
  });

  it('knows a hash with weaker parameters, and still verifies it', async () => {
    const weak = await argon2.hash(password.reveal(), {
      memoryCost: 8192,
      timeCost: 2,
      parallelism: 1,
    });
    const hasher = queue();

    expect(await hasher.verify(weak, password, Deadline.none)).toBe(true);
    expect(hasher.isOutdated(weak)).toBe(true);
    expect(hasher.isOutdated(await hasher.hash(password, Deadline.none))).toBe(false);
  });

  it('refuses everything for a user who does not exist', async () => {
    const hasher = queue();

    expect(await hasher.verify(undefined, password, Deadline.none)).toBe(false);
    expect(
      await hasher.verify(undefined, new Secret('nobody has this password'), Deadline.none),
    ).toBe(false);
  });

  it('hashes as much for a user who does not exist as for one who does (66)', async () => {
    const refusedOf = async (hash: string | undefined): Promise<number> => {
      const hasher = queue({ concurrency: 1, maxWaiting: 3 });
      await hasher.onModuleInit();
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => hasher.verify(hash, password, Deadline.none)),
      );
      return results.filter((result) => result.status === 'rejected').length;
    };
    const hash = await queue().hash(password, Deadline.none);

    // One at work and three waiting: whoever hashes takes one of these places.
    expect(await refusedOf(hash)).toBe(6);
    expect(await refusedOf(undefined)).toBe(6);
  });

  it('takes no more than it can do soon (53)', async () => {
    const hasher = queue({ concurrency: 1, maxWaiting: 3 });

    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => hasher.hash(password, Deadline.none)),
    );

    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(6);
    expect(refused.every(({ reason }) => reason instanceof HashingOverloadedError)).toBe(true);
  });

  it('hashes nothing for a caller who has given up (53)', async () => {
    const hasher = queue();

    await expect(hasher.hash(password, Deadline.after(0))).rejects.toThrow(HashingOverloadedError);
  });

  describe('when the time of a request is over', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
    afterEach(() => jest.useRealTimers());

    const overloaded = async (work: Promise<unknown>): Promise<HashingOverloadedError> => {
      const error: unknown = await work.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(HashingOverloadedError);
      return error as HashingOverloadedError;
    };
    const hasher = (): HashingQueue => queue({ concurrency: 1 });

    it('answers at once, though the work is under way', async () => {
      const hash = hasher().hash(password, Deadline.after(5000));

      jest.advanceTimersByTime(5000);

      await overloaded(hash);
    });

    it.each([
      ['wrong one as a failure', 'violet engines hum at dusk', 'failed'],
      ['right one as nothing', password.reveal(), 'void'],
    ])('counts a %s, when that is known', async (_, guess, result) => {
      const stored = await hasher().hash(password, Deadline.none);
      const check = hasher().verify(stored, new Secret(guess), Deadline.after(5000));

      jest.advanceTimersByTime(5000);

      expect(await (await overloaded(check)).result).toBe(result);
    });

    it('answers at once to those who wait, and checks nothing for them', async () => {
      const busy = hasher();
      const stored = await busy.hash(password, Deadline.none);
      const first = busy.hash(password, Deadline.none);
      const waiting = busy.verify(stored, new Secret('a guess'), Deadline.after(5000));

      jest.advanceTimersByTime(5000);

      expect(await (await overloaded(waiting)).result).toBe('void');
      await first;
    });
  });
});
