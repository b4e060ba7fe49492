import { Client } from './client.js';
import { History, type Operation } from './history.js';
import { Random } from './random.js';
import type { Instance } from '../support/instance.js';
import { slotsOfUser } from '../support/shards.js';

/** A random value for which a client that is logged in logs out. */
const LOG_OUT = 0.8;

class AlwaysLogOut extends Random {
  override next(): number {
    return LOG_OUT;
  }
}

/** Chooses to log out, and the rest at random. */
class LogOut extends Random {
  private isChosen = false;
  override word(): string {
    return 'word';
  }

  override pick<T>(items: readonly T[]): T {
    this.isChosen = true;
    return items[0]!;
  }

  override next(): number {
    const value = super.next();
    const isChoice = this.isChosen;
    this.isChosen = false;
    return isChoice ? LOG_OUT : value;
  }
}

/** Its payload is `{"sub":"id"}`. */
const TOKEN = 'header.eyJzdWIiOiJpZCJ9.signature';

/** Answers every request with success, unless it is stopped; then it does not answer. */
function fakeInstance(isPaused: boolean, tokenSeconds = 900): Instance {
  const answer = async (status: number) =>
    isPaused
      ? new Promise<never>(() => undefined)
      : Promise.resolve({
          status,
          headers: new Headers(),
          body: { session_id: 's', access_token: TOKEN, expires_in: tokenSeconds },
        });
  return {
    isPaused,
    request: async () => answer(201),
    login: async () => answer(200),
    ownUser: async () => answer(200),
    refresh: async () => answer(200),
    logout: async () => answer(204),
  } as unknown as Instance;
}

describe('a client of the fault suite', () => {
  const logOut = async (...paused: boolean[]): Promise<Operation[]> => {
    const history = new History();
    const client = new Client(paused.map(fakeInstance), history, new AlwaysLogOut(1));
    for (const kind of ['register', 'login', 'logout']) {
      await client.step();
      expect(history.operations.some((one) => one.kind === kind)).toBe(true);
    }
    return history.operations;
  };

  it('reads on every instance before a logout, and again on all of them after the response', async () => {
    const operations = await logOut(false, false, false);

    const kinds = operations.map(({ kind }) => kind);
    expect(kinds.join(' ')).toBe('register login read read read logout read read read');
    const logout = operations[5]!;
    expect(operations.slice(2, 5).map(({ instance }) => instance)).toEqual([0, 1, 2]);
    expect(operations.slice(6).map(({ instance }) => instance)).toEqual([0, 1, 2]);
    expect(operations.slice(6).every(({ begin }) => begin > logout.end)).toBe(true);
  });

  it('puts its session into some of the light members, and tries the ended session on all of them', async () => {
    const history = new History();
    const lightMembers = Array.from({ length: 20 }, () => fakeInstance(false));
    const client = new Client([fakeInstance(false)], history, new LogOut(2), lightMembers);
    for (let step = 0; step < 3; step += 1) {
      await client.step();
    }

    const { operations } = history;
    const logout = operations.findIndex(({ kind }) => kind === 'logout');
    const readers = (some: readonly Operation[]): number[] =>
      some.filter(({ kind }) => kind === 'read').map(({ instance }) => instance);
    const before = readers(operations.slice(0, logout));
    expect(before.length).toBeGreaterThan(1);
    expect(before.length).toBeLessThan(1 + lightMembers.length);
    expect(readers(operations.slice(logout))).toEqual([...Array(21).keys()]);
    expect(operations[logout]!.slots).toEqual(slotsOfUser(operations[logout]!.user, 'id'));
  });

  it.each([
    ['a valid token', 900, 'login read read'],
    ['an expired token, after a refresh', 10, 'login refresh read refresh read'],
  ])('at the end, checks its sessions with %s', async (_, tokenSeconds, kinds) => {
    const history = new History();
    const client = new Client([fakeInstance(false, tokenSeconds)], history, new Random(1));
    await client.step();
    await client.step();
    const before = history.operations.length;

    await client.verify();

    expect(
      history.operations
        .slice(before)
        .map(({ kind }) => kind)
        .join(' '),
    ).toBe(kinds);
  });

  it('is not delayed by a stopped instance', async () => {
    const operations = await logOut(true, false, true);

    expect(operations.map(({ kind }) => kind).join(' ')).toBe('register login read logout read');
  });
});
