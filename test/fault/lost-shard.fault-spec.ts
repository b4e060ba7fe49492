import { randomUUID } from 'node:crypto';

import { NearCache } from '../../src/near-cache/index.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { inboxSlots } from '../support/inboxes.js';
import { Instance } from '../support/instance.js';
import {
  eventually,
  startOwnCluster,
  type OwnCluster,
  type OwnClusterOptions,
} from '../support/own-cluster.js';
import { Shards, slotsOfUser } from '../support/shards.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** A lease, the timeout of its last renewal, and the opening of another inbox, on a machine that other tests use as well. */
const NEW_INBOX_MS = 15_000;
const REPORT_MS = 10_000;
const REVOCATION_MS = 30_000;

describe('three instances and a shard that is lost (98)', () => {
  let redis: OwnCluster;
  let shards: Shards;
  let variables: Record<string, string>;
  const apps: TestApp[] = [];

  const start = async (options: OwnClusterOptions): Promise<void> => {
    redis = await startOwnCluster(options);
    shards = await Shards.of(redis);
    variables = {
      ...redis.variables,
      REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:`,
      RATE_LIMIT: 'off',
    };
  };
  afterEach(async () => {
    await Promise.all(apps.splice(0).map(async (app) => app.close()));
    await redis.remove();
  });

  const cacheOf = ({ app }: TestApp): NearCache => app.get(NearCache, { strict: false });
  const inboxMasterOf = (app: TestApp): number => shards.ofKey(cacheOf(app).leaseKey);
  /** Starts instances until one has its inbox in such a shard. */
  const startWithInbox = async (isChosen: (master: number) => boolean): Promise<TestApp> => {
    const app = await startTestApp(variables);
    if (isChosen(inboxMasterOf(app))) {
      apps.push(app);
      return app;
    }
    await app.close();
    return startWithInbox(isChosen);
  };
  const startProcessWithInbox = async (master: number): Promise<Instance> => {
    const instance = await Instance.start(variables);
    let slot: number | undefined;
    await eventually('the instance has reported its inbox', REPORT_MS, async () => {
      const slots = await inboxSlots(redis, shards, variables['REDIS_KEY_PREFIX']!);
      slot = slots.get(instance.pid!);
      return slot !== undefined;
    });
    if (shards.masterOf(slot!) === master) {
      return instance;
    }
    await instance.stop();
    return startProcessWithInbox(master);
  };
  /** A user whose token every instance holds. */
  const heldUser = async (isChosen: (slots: readonly number[]) => boolean): Promise<TestUser> => {
    const username = `user-${randomUUID()}`;
    // Before the registration, so that half of the users need not be registered.
    const user = isChosen(slotsOfUser(username)) ? await apps[0]!.newUser(username) : undefined;
    if (!user || !isChosen(slotsOfUser(username, user.id))) {
      return heldUser(isChosen);
    }
    expect(await readsOf(user)).toEqual([200, 200, 200]);
    return user;
  };
  const readsOf = async ({ tokens }: TestUser): Promise<number[]> => {
    const answers = apps.map(async (app) => app.ownUser(tokens.access_token));
    return (await Promise.all(answers)).map(({ status }) => status);
  };
  const loginsOf = async ({ username }: TestUser): Promise<number[]> => {
    const answers = apps.map(async (app) => app.login(username));
    return (await Promise.all(answers)).map(({ status }) => status);
  };
  const expectHonest = (
    { status, headers }: Answer<unknown>,
    expected: readonly number[],
  ): void => {
    expect([...expected, 503]).toContain(status);
    if (status === 503) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
  };
  const expectRefused = async (user: TestUser): Promise<void> => {
    for (const status of await readsOf(user)) {
      expect([401, 503]).toContain(status);
    }
  };
  /** Repeats a logout until it is confirmed. From then on, no instance may accept the token. */
  const logOut = async (app: TestApp, user: TestUser): Promise<void> => {
    let hasFailed = false;
    await eventually('the logout is confirmed', REVOCATION_MS, async () => {
      const answer = await app.logout(user.tokens.access_token);
      expectHonest(answer, hasFailed ? [204, 401] : [204]);
      hasFailed ||= answer.status === 503;
      return answer.status !== 503;
    });
    await expectRefused(user);
  };
  const lose = (master: number): void =>
    shards.nodesOf(master).forEach((port) => redis.signal(port, 'SIGKILL'));

  it('serve all other users when it was the shard of an inbox: its instance opens another inbox', async () => {
    await start({ restartNodes: 'never' });
    const lost = shards.ports.find((port) => port !== shards.ofSigningKeys)!;
    const victim = await startWithInbox((master) => master === lost);
    await startWithInbox((master) => master !== lost);
    await startWithInbox((master) => master !== lost);
    const isElsewhere = (slots: readonly number[]): boolean => !shards.has(lost, slots);
    const [early, ...users] = [
      await heldUser(isElsewhere),
      await heldUser(isElsewhere),
      await heldUser(isElsewhere),
      await heldUser(isElsewhere),
    ];
    const formerInbox = cacheOf(victim).leaseKey;

    lose(lost);
    const earlyLogout = logOut(apps[1]!, early);
    await eventually('the instance has another inbox', NEW_INBOX_MS, async () =>
      Promise.resolve(cacheOf(victim).leaseKey !== formerInbox && cacheOf(victim).isTrusted),
    );
    expect(inboxMasterOf(victim)).not.toBe(lost);

    await earlyLogout;
    for (const [index, user] of users.entries()) {
      expect(await readsOf(user)).toEqual([200, 200, 200]);
      expect(await loginsOf(user)).toEqual([200, 200, 200]);
      expect((await apps[index]!.logout(user.tokens.access_token)).status).toBe(204);
      expect(await readsOf(user)).toEqual([401, 401, 401]);
    }
    expect(await readsOf(early)).toEqual([401, 401, 401]);
    // A session that the instance has held only under its new id.
    const { body } = await victim.login(early.username);
    const later = { ...early, tokens: body };
    expect(await readsOf(later)).toEqual([200, 200, 200]);
    expect((await apps[1]!.logout(later.tokens.access_token)).status).toBe(204);
    expect(await readsOf(later)).toEqual([401, 401, 401]);
  }, 120_000);

  it('serve all other users at any time when it had no inbox, even if it has the signing keys', async () => {
    await start({ restartNodes: 'never' });
    const lost = shards.ofSigningKeys;
    for (let count = 0; count < 3; count += 1) {
      await startWithInbox((master) => master !== lost);
    }
    const affected = await heldUser((slots) => shards.has(lost, slots.slice(-1)));
    const isElsewhere = (slots: readonly number[]): boolean => !shards.has(lost, slots);
    const users = [await heldUser(isElsewhere), await heldUser(isElsewhere)];

    lose(lost);

    for (const [index, user] of users.entries()) {
      expect(await readsOf(user)).toEqual([200, 200, 200]);
      expect(await loginsOf(user)).toEqual([200, 200, 200]);
      expect((await apps[index]!.logout(user.tokens.access_token)).status).toBe(204);
      expect(await readsOf(user)).toEqual([401, 401, 401]);
      expectHonest(await apps[index]!.logout(affected.tokens.access_token), []);
      expectHonest(await apps[index]!.login(affected.username), []);
    }
    expect(apps.map((app) => cacheOf(app).isTrusted)).toEqual([true, true, true]);
  }, 120_000);

  it('refuse to confirm a logout when the instance that held the token was lost with the shard of its inbox', async () => {
    await start({ restartNodes: 'after-failover' });
    const lost = shards.ports.find((port) => port !== shards.ofSigningKeys)!;
    for (let count = 0; count < 3; count += 1) {
      await startWithInbox((master) => master !== lost);
    }
    const victim = await startProcessWithInbox(lost);
    const user = await heldUser((slots) => !shards.has(lost, slots));
    expect((await victim.ownUser(user.tokens.access_token)).status).toBe(200);

    lose(lost);
    await victim.kill();
    const answer = await apps[0]!.logout(user.tokens.access_token);

    // Nobody can know whether the instance still runs.
    expect(answer.status).toBe(503);
    expectHonest(answer, []);
    await logOut(apps[1]!, user);
  }, 120_000);

  it('confirm a logout during a failover of an inbox only when no instance accepts the token', async () => {
    await start({ restartNodes: 'after-failover' });
    const lost = shards.ports.find((port) => port !== shards.ofSigningKeys)!;
    await startWithInbox((master) => master === lost);
    await startWithInbox((master) => master !== lost);
    await startWithInbox((master) => master !== lost);
    const users: TestUser[] = [];
    for (let count = 0; count < 9; count += 1) {
      users.push(await heldUser((slots) => !shards.has(lost, slots)));
    }

    redis.signal(lost, 'SIGKILL');
    await Promise.all(
      apps.map(async (app, index) => {
        for (const user of users.filter((_, place) => place % apps.length === index)) {
          await logOut(app, user);
        }
      }),
    );

    await redis.untilWhole();
    for (const user of users) {
      await expectRefused(user);
      await eventually('the token is refused', REVOCATION_MS, async () =>
        (await readsOf(user)).every((status) => status === 401),
      );
    }
  }, 120_000);
});
