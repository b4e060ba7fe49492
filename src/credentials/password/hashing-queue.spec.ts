import { jest } from '@jest/globals';
import argon2 from 'argon2';

import { Deadline } from '../../common/deadline/index.js';
import { Secret } from '../../common/secret/index.js';
import { MetricsRegistry } from '../../metrics/index.js';
import { Argon2PasswordHasher } from './argon2-password-hasher.js';
import { HashingOverloadedError, HashingQueue, type Turn } from './hashing-queue.js';
import { storedImportedHash } from './imported-hash.js';
import type { PasswordHasher } from './password-hasher.js';
import type { HashingOptions } from './password.options.js';

const password = new Secret('violet engines hum at dawn');

const queue = (hashing: Partial<HashingOptions> = {}): HashingQueue =>
  new HashingQueue(new Argon2PasswordHasher(hashing), { hashing });

describe('the hashing queue', () => {
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

  it('recognizes a hash with weaker parameters as outdated, and still verifies it', async () => {
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

  it('verifies a hash of another system itself, and recognizes it as outdated', async () => {
    const given: string[] = [];
    const ofApplication: PasswordHasher = {
      hash: async () => Promise.resolve('a hash of the application'),
      verify: async (hash) => Promise.resolve(given.push(hash) > 0),
      isOutdated: () => false,
    };
    const hasher = new HashingQueue(ofApplication, {});
    // From crypt_blowfish, wrapper.c.
    const stored = storedImportedHash(
      '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    );

    expect(await hasher.verify(stored, new Secret('U*U'), Deadline.none)).toBe(true);
    expect(await hasher.verify(stored, new Secret('U*V'), Deadline.none)).toBe(false);
    expect(hasher.isOutdated(stored)).toBe(true);
    expect(given).toEqual([]);
  });

  describe('with hashes of other systems', () => {
    // A check of some tenths of a second.
    const stored = storedImportedHash(
      'pbkdf2_sha256$600000$seasalt2$OSllgFdJjYQjb0RfMzrx8u0XYl4Fkt+wKpI1yq4lZlo=',
    );
    const guess = new Secret('a guess');
    const measured = (hashing: Partial<HashingOptions>) => {
      const registry = new MetricsRegistry();
      const hasher = new HashingQueue(new Argon2PasswordHasher(), { hashing }, registry);
      const running = async (): Promise<number> =>
        Number(/^keyslot_password_hashing_running (\d+)$/m.exec(await registry.metrics())?.[1]);
      return { hasher, running };
    };

    it('checks one at a time, so that concurrent guesses need the memory of one hash', async () => {
      const { hasher, running } = measured({ concurrency: 3 });
      const checks = Array.from({ length: 3 }, () => hasher.verify(stored, guess, Deadline.none));
      await new Promise(setImmediate);

      expect(await running()).toBe(1);
      expect(await Promise.all(checks)).toEqual([false, false, false]);
    });

    it('leaves the other places to other hashes', async () => {
      const { hasher } = measured({ concurrency: 2 });
      const own = await hasher.hash(password, Deadline.none);
      let checked = 0;
      const checks = Array.from({ length: 3 }, async () =>
        hasher.verify(stored, guess, Deadline.none).then(() => (checked += 1)),
      );

      expect(await hasher.verify(own, password, Deadline.none)).toBe(true);

      expect(checked).toBeLessThan(2);
      await Promise.all(checks);
    });

    it('continues after a caller has given up before its check began', async () => {
      const { hasher } = measured({ concurrency: 1 });
      const first = hasher.hash(password, Deadline.none);
      await expect(hasher.verify(stored, guess, Deadline.after(1))).rejects.toThrow(
        HashingOverloadedError,
      );
      await first;

      expect(await hasher.verify(stored, new Secret('lètmein'), Deadline.none)).toBe(true);
    });
  });

  it('accepts no password for a user who does not exist', async () => {
    const hasher = queue();

    expect(await hasher.verify(undefined, password, Deadline.none)).toBe(false);
    expect(
      await hasher.verify(undefined, new Secret('nobody has this password'), Deadline.none),
    ).toBe(false);
  });

  it('needs as much work for a user who does not exist as for one who does (66)', async () => {
    const refusedOf = async (hash: string | undefined): Promise<number> => {
      const hasher = queue({ concurrency: 1, maxWaiting: 3 });
      await hasher.onModuleInit();
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => hasher.verify(hash, password, Deadline.none)),
      );
      return results.filter((result) => result.status === 'rejected').length;
    };
    const hash = await queue().hash(password, Deadline.none);

    // One running and three waiting: the next hash takes one of these places.
    expect(await refusedOf(hash)).toBe(6);
    expect(await refusedOf(undefined)).toBe(6);
  });

  it('refuses hashes beyond its capacity (53)', async () => {
    const hasher = queue({ concurrency: 1, maxWaiting: 3 });

    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => hasher.hash(password, Deadline.none)),
    );

    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(6);
    expect(refused.every(({ reason }) => reason instanceof HashingOverloadedError)).toBe(true);
  });

  describe('shared by clients (53)', () => {
    const FLOOD = 100;
    const turn = (network: string, account = network, isKnown = false): Turn => ({
      network,
      account,
      isKnown,
    });
    /** A queue whose hashes end when the test ends them, and the names of the started hashes, in order. */
    const observed = (): { hasher: HashingQueue; begun: string[]; finish: () => Promise<void> } => {
      const begun: string[] = [];
      let end: () => void = () => undefined;
      const work = async (secret: Secret): Promise<string> => {
        begun.push(secret.reveal());
        await new Promise<void>((done) => (end = done));
        return '';
      };
      const fake: PasswordHasher = {
        hash: work,
        verify: async (_, secret) => Boolean(await work(secret)),
        isOutdated: () => false,
      };
      const options = { hashing: { concurrency: 1, maxWaiting: 64 } };
      const finish = async (): Promise<void> => {
        end();
        await new Promise(setImmediate);
      };
      return { hasher: new HashingQueue(fake, options), begun, finish };
    };
    const flood = (hasher: HashingQueue, of: (index: number) => Turn): Promise<unknown>[] =>
      Array.from({ length: FLOOD }, (_, index) => {
        const [secret, by] = [new Secret(`flood ${index}`), of(index)];
        // Logins verify a password, registrations and changes hash one. Both use the same queue.
        return index % 2 === 0
          ? hasher.hash(secret, Deadline.none, by)
          : hasher.verify('hash', secret, Deadline.none, by);
      });
    const refusedOf = async (works: readonly Promise<unknown>[]): Promise<number> => {
      let refused = 0;
      works.forEach((work) => void work.catch(() => (refused += 1)));
      await new Promise(setImmediate);
      return refused;
    };

    it.each<[string, (index: number) => Turn]>([
      ['one account', () => turn('flood', 'own')],
      ['as many accounts', (index) => turn('flood', `account-${index}`)],
      ['as many IPv6 networks of one site', (index) => turn(`2001:db8:1:${index.toString(16)}::`)],
      ['a device or session of its own', (index) => turn('flood', 'own', index % 2 === 0)],
    ])(
      'lets others wait for one hash of a client that has 100 in flight with %s, and refuses only that one',
      async (_, by) => {
        const { hasher, begun, finish } = observed();
        const floods = await refusedOf(flood(hasher, by));
        const others = Array.from({ length: 12 }, (__, index) =>
          hasher.verify(
            'hash',
            new Secret(`other ${index}`),
            Deadline.none,
            turn(`10.0.0.${index}`),
          ),
        );
        expect(await refusedOf(others)).toBe(0);
        expect(floods).toBe(FLOOD - 1 - 64);

        for (let hash = 0; hash < 40; hash += 1) {
          await finish();
        }

        // One running, and in each round one turn of the flood among strangers and one among known callers.
        const places = Array.from({ length: 12 }, (__, index) => begun.indexOf(`other ${index}`));
        expect(places).not.toContain(-1);
        expect(places[0]).toBeLessThanOrEqual(4);
        expect(Math.max(...places)).toBeLessThanOrEqual(2 * (12 + 1) + 1);
      },
    );

    it('reserves places and every second turn for known callers, also against strangers of many addresses', async () => {
      const { hasher, begun, finish } = observed();
      const floods = flood(hasher, (index) => turn(`10.0.0.${index}`));
      expect(await refusedOf(floods)).toBe(FLOOD - 1 - 64);

      const known = Array.from({ length: 16 }, (_, index) =>
        hasher.hash(new Secret(`known ${index}`), Deadline.none, turn('home', 'ada', true)),
      );

      expect(await refusedOf(known)).toBe(0);
      await finish();
      await finish();
      expect(begun.slice(1).some((name) => name.startsWith('known'))).toBe(true);
    });

    it('frees the place of a caller that has timed out or disconnected', async () => {
      const { hasher, begun, finish } = observed();
      void hasher.hash(new Secret('first'), Deadline.none);
      await expect(
        hasher.hash(new Secret('impatient'), Deadline.after(1), turn('a')),
      ).rejects.toThrow(HashingOverloadedError);
      void hasher.hash(new Secret('second'), Deadline.none);

      await finish();

      expect(begun).toEqual(['first', 'second']);
    });
  });

  it('hashes nothing for a caller that has timed out or disconnected (53)', async () => {
    const hasher = queue();

    await expect(hasher.hash(password, Deadline.after(0))).rejects.toThrow(HashingOverloadedError);
  });

  describe('when the deadline of a request passes', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
    afterEach(() => jest.useRealTimers());

    const overloaded = async (work: Promise<unknown>): Promise<HashingOverloadedError> => {
      const error: unknown = await work.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(HashingOverloadedError);
      return error as HashingOverloadedError;
    };
    const hasher = (): HashingQueue => queue({ concurrency: 1 });

    it('answers at once, even if the work has started', async () => {
      const hash = hasher().hash(password, Deadline.after(5000));

      jest.advanceTimersByTime(5000);

      await overloaded(hash);
    });

    it.each([
      ['wrong one as a failure', 'violet engines hum at dusk', 'failed'],
      ['right one as nothing', password.reveal(), 'void'],
    ])('counts a %s after the check has finished', async (_, guess, result) => {
      const stored = await hasher().hash(password, Deadline.none);
      const check = hasher().verify(stored, new Secret(guess), Deadline.after(5000));

      jest.advanceTimersByTime(5000);

      expect(await (await overloaded(check)).result).toBe(result);
    });

    it('answers waiting callers at once, and verifies nothing for them', async () => {
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
