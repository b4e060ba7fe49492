import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { SESSION_LIMITS, type Factor, type NewSession } from '../../src/user-slot/read/index.js';
import { FactorWriter, SessionWriter } from '../../src/user-slot/write/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { createdUser, startedSession } from '../support/started-session.js';
import { usersOn } from '../support/users.js';

const until = Deadline.none;
const DEPENDENT = 'recovery-code';

describe('changes of the factors of a user', () => {
  let instance: CacheInstance;
  let factors: FactorWriter;
  beforeAll(async () => {
    instance = await startCacheInstance(newPrefix());
    factors = new FactorWriter(instance.redis, instance.cache);
  });
  afterAll(async () => instance.close());

  const newSession = async (): Promise<NewSession> =>
    startedSession(instance, await createdUser(instance));
  const add = async (
    { userId, id: sessionId }: NewSession,
    isConfirmed: boolean,
  ): ReturnType<FactorWriter['add']> => {
    const factor = { id: randomUUID(), type: 'totp', name: '', isConfirmed, state: 'sealed' };
    return factors.add(userId, factor, sessionId, until);
  };
  const list = async ({ userId }: NewSession): Promise<readonly Factor[]> =>
    (await factors.find(userId, until)).factors;

  describe('of a session that has ended after the guard has admitted the request', () => {
    const ends: Record<string, (session: NewSession) => Promise<unknown>> = {
      'a logout': async ({ userId, id }) =>
        new SessionWriter(instance.redis, instance.cache, SESSION_LIMITS).end(userId, id, until),
      'the end of all sessions': async ({ userId }) =>
        usersOn(instance).users.endSessions(userId, undefined, until),
      'a disabled user': async ({ userId }) =>
        usersOn(instance).writer.change(userId, { isDisabled: true }, until),
    };

    it.each(Object.keys(ends))('are refused, and write nothing: %s', async (name) => {
      const session = await newSession();
      const { userId, id: sessionId } = session;
      expect(await add(session, true)).toBe('changed');
      expect(await add(session, false)).toBe('changed');
      const before = await list(session);
      const [confirmed, enrolled] = before;

      await ends[name]!(session);

      expect(await add(session, true)).toBe('ended');
      expect(await add(session, false)).toBe('ended');
      expect(await factors.confirm(userId, enrolled!, true, sessionId, until)).toBe('ended');
      const except = { exceptSessionId: sessionId };
      for (const factorId of [confirmed!.id, undefined]) {
        expect(await factors.remove(userId, factorId, DEPENDENT, except, until)).toEqual({
          outcome: 'ended',
        });
      }
      expect(await list(session)).toEqual(before);
    });
  });

  describe('of a type of which a user has one', () => {
    const enrolled = async (session: NewSession): Promise<Factor> => {
      expect(await add(session, false)).toBe('changed');
      return (await list(session)).find(({ isConfirmed }) => !isConfirmed)!;
    };

    it('replace the former factor with the confirmation, and not before', async () => {
      const session = await newSession();
      const { userId, id: sessionId } = session;
      const first = await enrolled(session);
      expect(await factors.confirm(userId, first, true, sessionId, until)).toBe('changed');
      const second = await enrolled(session);
      expect((await list(session)).map(({ id }) => id)).toEqual([first.id, second.id]);

      expect(await factors.confirm(userId, second, true, sessionId, until)).toBe('changed');

      expect(await list(session)).toMatchObject([{ id: second.id, isConfirmed: true }]);
    });

    it('leave one, however many confirmations are made at once', async () => {
      const session = await newSession();
      const { userId, id: sessionId } = session;

      const results: string[] = [];
      const enrolAndConfirm = async (): Promise<void> => {
        for (let round = 0; round < 10; round += 1) {
          await add(session, false);
          const pending = (await list(session)).find(({ isConfirmed }) => !isConfirmed);
          if (pending) {
            results.push(await factors.confirm(userId, pending, true, sessionId, until));
          }
        }
      };

      await Promise.all(Array.from({ length: 4 }, enrolAndConfirm));

      expect(results.filter((result) => result === 'changed').length).toBeGreaterThan(1);
      expect(await list(session)).toMatchObject([{ isConfirmed: true }]);
    });
  });

  it('leave no recovery codes alone, whichever of a removal and new codes comes first', async () => {
    const results: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const session = await newSession();
      const { userId, id: sessionId } = session;
      await add(session, true);
      const [totp] = await list(session);
      const codes = {
        ...{ id: randomUUID(), type: DEPENDENT, name: '', isConfirmed: true, state: 'sealed' },
      };
      const except = { exceptSessionId: sessionId };

      const addCodes = async (): Promise<void> => {
        results.push(await factors.addDependent(userId, codes, true, sessionId, until));
      };
      const removeTotp = async (): Promise<void> => {
        const removal = await factors.remove(userId, totp!.id, DEPENDENT, except, until);
        expect(removal.outcome).toBe('changed');
      };

      // The call that begins first is usually the first in Redis.
      const calls = round % 2 === 0 ? [addCodes, removeTotp] : [removeTotp, addCodes];
      await Promise.all(calls.map(async (call) => call()));

      expect(await list(session)).toEqual([]);
    }
    expect(new Set(results)).toEqual(new Set(['changed', 'no-second-factor']));
  });

  it('by an administrator need no session of the user', async () => {
    const session = await newSession();
    await add(session, true);

    const removal = await factors.remove(session.userId, undefined, DEPENDENT, {}, until);

    expect(removal).toEqual({ outcome: 'changed' });
    expect(await list(session)).toEqual([]);
  });
});
