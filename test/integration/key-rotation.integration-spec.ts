import { EventEmitter2 } from '@nestjs/event-emitter';

import { AuditLog, type AuditEvent } from '../../src/audit/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { ACCESS_TOKEN_MAX_SECONDS } from '../../src/guard/claims.js';
import {
  KeyDecryptionError,
  KeyRotationSchedule,
  PUBLICATION_MS,
  RETENTION_MS,
  type KeySet,
} from '../../src/keys/index.js';
import { JWKS_MAX_AGE_SECONDS } from '../../src/keys/read/index.js';
import { newCandidate } from '../../src/keys/write/key-candidate.js';
import { MetricsRegistry } from '../../src/metrics/index.js';
import { Announcer } from '../../src/near-cache/announcer.js';
import { NotConfirmedError } from '../../src/redis-cluster/index.js';
import { FakeClock } from '../support/fake-clock.js';
import { LIFETIME_MS, startKeysInstance, StoredKeys, type KeysInstance } from '../support/keys.js';
import { newPrefix } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';

const STEP_TIMEOUT_MS = 20_000;

/** Shows the real time. A test ends its delays. */
class PacedClock extends FakeClock {
  override wall(): number {
    return Date.now();
  }
}

describe('the rotation of signing keys', () => {
  const INSTANCES = 4;
  let prefix: string;
  let stored: StoredKeys;
  let events: AuditEvent[];
  let instances: KeysInstance[];
  beforeEach(async () => {
    events = [];
    prefix = newPrefix();
    stored = new StoredKeys(prefix);
    instances = await Promise.all(
      Array.from({ length: INSTANCES }, async () => startKeysInstance(prefix, events)),
    );
    await everywhere();
  });
  afterEach(async () => {
    await Promise.all(instances.map(async ({ cache }) => cache.close()));
  });

  /** The id of the key with which each instance signs, and the ids of the keys that it accepts. */
  const everywhere = async (): Promise<{ signs: string[]; accepts: string[][] }> => ({
    signs: await Promise.all(
      instances.map(async ({ signing }) => (await signing.current(Deadline.none)).kid),
    ),
    accepts: await Promise.all(
      instances.map(async ({ ring }) => [...(await ring.current(Deadline.none)).byId.keys()]),
    ),
  });
  /** Asserts that each instance signs with the first key, and accepts all of them. */
  const expectEverywhere = async (...kids: string[]): Promise<void> => {
    const { signs, accepts } = await everywhere();
    expect(signs).toEqual(Array(instances.length).fill(kids[0]));
    expect(accepts.map((each) => [...each].sort())).toEqual(
      Array(instances.length).fill([...kids].sort()),
    );
  };
  const keys = async (): Promise<KeySet> => (await instances[0]!.store.read(Deadline.none))!;
  const checkAll = async (): Promise<void> => {
    await Promise.all(instances.map(async ({ rotation }) => rotation.check(Deadline.none)));
  };
  const countOf = (type: string): number => events.filter((event) => event.type === type).length;
  /** The changes of this instance are written, and it crashes before it announces them. */
  const crashBeforeAnnouncements = ({ cache }: KeysInstance): void => {
    cache.context.get(Announcer).announce = async () =>
      Promise.reject(new NotConfirmedError('the process has crashed'));
  };
  /** Publishes a key that may sign now. */
  const publishDue = async (): Promise<{ first: string; second: string }> => {
    const { signing } = await keys();
    await instances[0]!.rotation.rotate(signing.kid, false, Deadline.none);
    await stored.age(PUBLICATION_MS);
    return { first: signing.kid, second: (await keys()).published!.kid };
  };

  it('takes every step once, whichever instances try, and each knows the keys (23, 26)', async () => {
    const first = (await keys()).signing.kid;
    await checkAll();
    expect(await stored.fields()).not.toHaveProperty('next');

    await stored.age(LIFETIME_MS);
    await checkAll();
    const second = (await keys()).published!.kid;
    expect(countOf('signing-key-created')).toBe(2); // With the first key of the cluster.
    await expectEverywhere(first, second);

    await stored.age(PUBLICATION_MS - 10_000);
    await checkAll();
    await expectEverywhere(first, second);

    await stored.age(10_000);
    await checkAll();
    expect(countOf('signing-key-activated')).toBe(1);
    await expectEverywhere(second, first);

    await checkAll();
    await stored.age(RETENTION_MS - 10_000);
    await checkAll();
    await expectEverywhere(second, first);

    await stored.age(10_000);
    await checkAll();
    await expectEverywhere(second);
    expect(countOf('signing-key-created')).toBe(2);
  });

  it('leaves enough time for verifiers, and for the tokens of a retired key (23)', () => {
    // A cut-off instance answers with the old set for as long as clients may cache it.
    expect(PUBLICATION_MS).toBeGreaterThanOrEqual(2 * JWKS_MAX_AGE_SECONDS * 1000 + 300_000);
    expect(RETENTION_MS).toBeGreaterThanOrEqual(ACCESS_TOKEN_MAX_SECONDS * 1000 + 300_000);
  });

  it('lets N callers who rotate at the same time agree on one key (26)', async () => {
    const first = (await keys()).signing.kid;

    const results = await Promise.all(
      instances.map(async ({ rotation }) => rotation.rotate(first, true, Deadline.none)),
    );

    const second = (await keys()).signing.kid;
    expect(second).not.toBe(first);
    for (const result of results) {
      expect(result).toMatchObject({ outcome: 'rotated', keys: { signing: { kid: second } } });
    }
    expect(countOf('signing-key-created')).toBe(2);
    expect(countOf('signing-key-activated')).toBe(1);
    await expectEverywhere(second, first);
    // The private half of a key that does not sign any more is deleted.
    const { private: text, ...others } = await stored.fields();
    expect(text).toBeDefined();
    expect(Object.keys(others).filter((name) => name.startsWith('retired:'))).toHaveLength(1);
    expect(JSON.stringify(others)).not.toContain('"private');
  });

  it('publishes no eleventh key for a caller, but for a withdrawal and for the schedule', async () => {
    const { rotation } = instances[0]!;
    const rotate = async (isNow: boolean): Promise<string> => {
      const { kid } = (await keys()).signing;
      const results = await Promise.all(
        instances.map(async (each) => each.rotation.rotate(kid, isNow, Deadline.none)),
      );
      return results.map(({ outcome }) => outcome).join();
    };
    const all = (outcome: string): string => Array<string>(INSTANCES).fill(outcome).join();
    for (let count = 2; count <= 10; count += 1) {
      expect(await rotate(true)).toBe(all('rotated'));
    }
    const full = await stored.fields();

    expect(await rotate(true)).toBe(all('too-many-keys'));
    expect(await rotate(false)).toBe(all('too-many-keys'));
    expect(await stored.fields()).toEqual(full);

    const leaked = (await keys()).signing.kid;
    await rotation.withdraw(leaked, Deadline.none);
    expect((await keys()).retired).toHaveLength(9);
    await expectEverywhere(
      (await keys()).signing.kid,
      ...(await keys()).retired.map(({ kid }) => kid),
    );
    expect(await rotate(true)).toBe(all('too-many-keys'));

    // The former keys stay, because this check only schedules their removal.
    await stored.age(LIFETIME_MS);
    await rotation.check(Deadline.none);
    expect(await keys()).toHaveProperty('published');
    // That key may sign at once: this publishes no key.
    expect(await rotate(true)).toBe(all('rotated'));

    await stored.age(RETENTION_MS);
    await rotation.check(Deadline.none);
    await rotation.check(Deadline.none);
    expect((await keys()).retired.length).toBeLessThan(2);
    expect(await rotate(false)).toBe(all('rotated'));
  });

  it('withdraws the key that signs, and another one signs, also with many callers (24)', async () => {
    const first = (await keys()).signing.kid;

    const results = await Promise.all(
      instances.map(async ({ rotation }) => rotation.withdraw(first, Deadline.none)),
    );

    expect(results.map(({ outcome }) => outcome)).toEqual(Array(INSTANCES).fill('withdrawn'));
    const second = (await keys()).signing.kid;
    expect(second).not.toBe(first);
    await expectEverywhere(second);
  });

  it('withdraws retired and published keys, and knows no others (24)', async () => {
    const { rotation } = instances[1]!;
    const { first, second } = await publishDue();
    await rotation.check(Deadline.none);
    await rotation.rotate(second, false, Deadline.none);
    const third = (await keys()).published!.kid;
    await expectEverywhere(second, first, third);

    await rotation.withdraw(first, Deadline.none);
    await expectEverywhere(second, third);
    await rotation.withdraw(third, Deadline.none);
    await expectEverywhere(second);
    expect(await rotation.withdraw(third, Deadline.none)).toMatchObject({ outcome: 'withdrawn' });
    expect(await rotation.withdraw('a-typo', Deadline.none)).toEqual({ outcome: 'unknown' });
    expect((await keys()).signing.kid).toBe(second);
  });

  it('keeps one signing key that every instance accepts while keys are rotated and withdrawn', async () => {
    const withdrawn: string[] = [];
    const work = async ({ rotation }: KeysInstance, index: number): Promise<void> => {
      for (let round = 0; round < 4; round += 1) {
        const { kid } = (await keys()).signing;
        if ((index + round) % 2 === 0) {
          await rotation.rotate(kid, true, Deadline.none);
        } else {
          await rotation.withdraw(kid, Deadline.none);
          withdrawn.push(kid);
        }
        const accepted = await Promise.all(
          instances.map(async ({ ring }) => (await ring.current(Deadline.none)).byId),
        );
        expect(accepted.filter((byId) => withdrawn.some((each) => byId.has(each)))).toEqual([]);
      }
    };

    await Promise.all(instances.map(work));

    const { signing, retired, published } = await keys();
    const verifying = [signing, ...retired, ...(published ? [published] : [])];
    await expectEverywhere(...verifying.map(({ kid }) => kid));
  });

  it('never lets a key sign that an instance does not know: its publisher has crashed (23)', async () => {
    const first = (await keys()).signing.kid;
    await everywhere();
    const [crashed, other, watched] = instances as [KeysInstance, KeysInstance, KeysInstance];
    crashBeforeAnnouncements(crashed);
    await expect(crashed.rotation.rotate(first, true, Deadline.none)).rejects.toThrow(
      NotConfirmedError,
    );
    const second = (await keys()).published!.kid;
    // The crash was before the announcement.
    expect(watched.ring.recall()?.byId.has(second)).toBe(false);
    await stored.age(PUBLICATION_MS);
    const promote = other.store.promote.bind(other.store);
    let knownBefore: boolean | undefined;
    other.store.promote = async (...args) => {
      knownBefore = watched.ring.recall()?.byId.has(second);
      return promote(...args);
    };

    await other.rotation.check(Deadline.none);

    // Memory was invalidated before the key signed.
    expect(knownBefore).toBeUndefined();
    await expectEverywhere(second, first);
  });

  it('counts the retention of a key from the moment when no instance signs with it (23)', async () => {
    const { first, second } = await publishDue();
    const [crashed, other, watched] = instances as [KeysInstance, KeysInstance, KeysInstance];
    await everywhere();
    crashBeforeAnnouncements(crashed);
    await expect(crashed.rotation.check(Deadline.none)).rejects.toThrow(NotConfirmedError);
    expect((await keys()).signing.kid).toBe(second);
    // It was not told, and signs with the former key. Every instance accepts that.
    expect((await watched.signing.current(Deadline.none)).kid).toBe(first);
    const accepted = (await everywhere()).accepts;
    expect(accepted.filter((kids) => kids.includes(first))).toHaveLength(INSTANCES);
    await stored.age(10 * RETENTION_MS);
    expect((await keys()).retired).toMatchObject([{ kid: first }]);

    await other.rotation.check(Deadline.none);

    expect((await watched.signing.current(Deadline.none)).kid).toBe(second);
    const { now, retired } = await keys();
    expect(retired[0]!.removeAt).toBeGreaterThan(now + RETENTION_MS - 10_000);
  });

  it('finishes a withdrawal whose caller has crashed, at its repetition or the next check (24)', async () => {
    for (const finish of [
      async (kid: string) => instances[1]!.rotation.withdraw(kid, Deadline.none),
      async () => instances[1]!.rotation.check(Deadline.none),
    ]) {
      const crashed = await startKeysInstance(prefix, events);
      const { kid } = (await keys()).signing;
      // After the key that takes over was announced.
      const withdraw = crashed.store.withdraw.bind(crashed.store);
      crashed.store.withdraw = async (...args) => {
        await everywhere();
        crashBeforeAnnouncements(crashed);
        return withdraw(...args);
      };
      await expect(crashed.rotation.withdraw(kid, Deadline.none)).rejects.toThrow(
        NotConfirmedError,
      );
      expect(instances[2]!.ring.recall()?.byId.has(kid)).toBe(true);

      await finish(kid);

      await expectEverywhere((await keys()).signing.kid);
      await crashed.cache.close();
    }
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'signing-key-withdrawn', reason: 'unconfirmed' }),
    );
  });

  it('does not let a late script bring back a key, or replace a newer one (24)', async () => {
    const { store, rotation } = instances[0]!;
    const first = (await keys()).signing.kid;
    const secret = new Secret('the secret of this whole cluster');
    const [candidate, late] = [await newCandidate(secret), await newCandidate(secret)];
    await store.publish(candidate, first, Deadline.none);
    await rotation.rotate(first, true, Deadline.none);
    await rotation.withdraw(candidate.kid, Deadline.none);
    const before = await stored.fields();

    // Of a caller that wanted to replace the first key too.
    expect(await store.publish(late, first, Deadline.none)).toBe(false);
    expect(await store.publish(candidate, first, Deadline.none)).toBe(false);
    expect(await store.publish(candidate, before['current']!, Deadline.none)).toBe(false);
    expect(await store.promote(candidate.kid, first, Deadline.none)).toBe(false);
    expect(await store.withdraw(candidate.kid, first, Deadline.none)).toBe(false);
    await store.scheduleRemoval([candidate.kid], Deadline.none);
    await store.remove([candidate.kid], Deadline.none);
    await store.adopt(candidate.kid, Deadline.none);

    expect(await stored.fields()).toEqual(before);

    // Of callers that wanted another successor, or another key to replace.
    await rotation.rotate(before['current']!, false, Deadline.none);
    const { published, signing } = await keys();
    const waiting = await stored.fields();
    expect(await store.withdraw(signing.kid, candidate.kid, Deadline.none)).toBe(false);
    expect(await store.promote(published!.kid, first, Deadline.none)).toBe(false);
    expect(await stored.fields()).toEqual(waiting);
  });

  it('adopts the key of the previous version, whose fields that version still understands', async () => {
    await stored.remove('createdAt', 'signsFrom');
    const before = await stored.fields();
    expect(Object.keys(before).sort()).toEqual(['current', 'issuer', 'private', 'public']);
    await checkAll();

    const adopted = await keys();
    expect(adopted.signing).toMatchObject({ kid: before['current'], isAdopted: true });
    expect(adopted.now - adopted.signing.createdAt!).toBeLessThan(60_000);
    expect(await stored.fields()).toMatchObject(before);

    await stored.age(LIFETIME_MS);
    await checkAll();
    await stored.age(PUBLICATION_MS);
    await checkAll();
    const { current, public: jwk } = await stored.fields();
    expect(current).not.toBe(before['current']);
    expect(JSON.parse(jwk!)).toMatchObject({ kid: current });
    expect((await keys()).signing.isAdopted).toBe(false);
    await expectEverywhere(current!, before['current']!);
  });

  it('makes no key with another secret than that of the cluster', async () => {
    const secret = 'quite another secret, just as long';
    const wrong = await startKeysInstance(prefix, events, { secret });
    const before = await stored.fields();
    const { kid } = (await keys()).signing;

    await expect(wrong.rotation.rotate(kid, true, Deadline.none)).rejects.toThrow(
      KeyDecryptionError,
    );
    await expect(wrong.rotation.withdraw(kid, Deadline.none)).rejects.toThrow(KeyDecryptionError);

    expect(await stored.fields()).toEqual(before);
    await wrong.cache.close();
  });

  it('checks in the first minute and once a minute, and exports the state of the keys', async () => {
    const clock = new PacedClock();
    const metrics = new MetricsRegistry();
    const { redis, cache } = instances[0]!.cache;
    const audit = new AuditLog({ record: () => undefined }, new EventEmitter2());
    const schedule = new KeyRotationSchedule(redis, cache, clock, audit, metrics, {
      baseUrl: 'http://127.0.0.1:3000',
      encryptionSecret: new Secret('the secret of this whole cluster'),
    });
    expect(await metrics.metrics()).toMatch(/^keyslot_signing_key_lifetime_seconds 7776000$/m);
    expect(await metrics.metrics()).not.toMatch(/^keyslot_signing_key(?:s|_age_seconds)[ {]/m);
    const first = (await keys()).signing.kid;
    /** The schedule asks Redis between two pauses, which takes real time. */
    const afterMinutes = async (isDone: (now: KeySet) => boolean): Promise<number> =>
      eventually('the check has taken the step', STEP_TIMEOUT_MS, async () => {
        await clock.advance(60_000);
        return isDone(await keys());
      });

    schedule.onApplicationBootstrap();
    await stored.age(LIFETIME_MS);
    await afterMinutes(({ published }) => published !== undefined);
    await stored.age(PUBLICATION_MS);
    await afterMinutes(({ signing }) => signing.kid !== first);
    await afterMinutes(({ retired }) => retired[0]?.removeAt !== undefined);
    schedule.beforeApplicationShutdown();

    const text = await metrics.metrics();
    expect(text).toMatch(/^keyslot_signing_keys\{state="signing"\} 1$/m);
    expect(text).toMatch(/^keyslot_signing_keys\{state="retired"\} 1$/m);
    const [, age] = /^keyslot_signing_key_age_seconds (\S+)$/m.exec(text) ?? [];
    expect(Number(age)).toBeGreaterThanOrEqual(PUBLICATION_MS / 1000);
    expect(Number(age)).toBeLessThan(PUBLICATION_MS / 1000 + 3600);
  });

  it.each([true, false])('is scheduled in an instance, not in a command: %s', (doesDueWork) => {
    const clock = new FakeClock();
    const { redis, cache } = instances[0]!.cache;
    const audit = new AuditLog({ record: () => undefined }, new EventEmitter2());
    const schedule = new KeyRotationSchedule(redis, cache, clock, audit, new MetricsRegistry(), {
      baseUrl: 'http://127.0.0.1:3000',
      encryptionSecret: new Secret('the secret of this whole cluster'),
      doesDueWork,
    });

    schedule.onApplicationBootstrap();

    expect(clock.isAwaited).toBe(doesDueWork);
    schedule.beforeApplicationShutdown();
  });

  it('keeps the objects of keys that a change does not affect', async () => {
    const { ring } = instances[3]!;
    const first = (await keys()).signing.kid;
    const before = (await ring.current(Deadline.none)).byId.get(first);

    await instances[0]!.rotation.rotate(first, true, Deadline.none);

    const after = (await ring.current(Deadline.none)).byId;
    expect(after.size).toBe(2);
    expect(after.get(first)).toBe(before);
  });
});
