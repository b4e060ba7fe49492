import { EventEmitter2 } from '@nestjs/event-emitter';

import { AuditLog, type AuditEvent } from '../audit/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import type { UsersService } from '../users/index.js';
import { AllSessions } from './all-sessions.js';

/** One user for each result; each is retried until its result is not an error. */
function sessionsOf(answers: readonly ((attempt: number) => boolean)[]) {
  const attempts = new Map<string, number>();
  const audited: AuditEvent[] = [];
  const users: Pick<UsersService, 'allIds' | 'endSessions'> = {
    allIds: () => Promise.resolve(new Set(Array.from(answers.keys(), String))),
    endSessions: async (id) => {
      const attempt = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, attempt);
      await Promise.resolve();
      return answers[Number(id)]!(attempt);
    },
  };
  const audit = new AuditLog({ record: (event) => void audited.push(event) }, new EventEmitter2());
  return { sessions: new AllSessions(users as UsersService, audit), attempts, audited };
}

const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const done = (): boolean => true;
const gone = (): boolean => false;
const unconfirmed = (): never => {
  throw new NotConfirmedError('not confirmed');
};

describe('ending the sessions of all users', () => {
  it('counts existing users', async () => {
    const { sessions, audited } = sessionsOf([...many(200, done), gone, ...many(100, done)]);

    expect(await sessions.end()).toEqual({ users: 300, failures: new Map(), isComplete: true });
    expect(audited).toMatchObject([
      {
        type: 'all-sessions-ended',
        result: 'success',
        actor: 'operator',
        details: { users: 300 },
      },
    ]);
  });

  it('retries a user whose change was not confirmed, a limited number of times', async () => {
    const secondTime = (attempt: number): boolean => (attempt === 1 ? unconfirmed() : true);
    const { sessions, attempts } = sessionsOf([secondTime, unconfirmed, done]);

    const { users, failures, isComplete } = await sessions.end();

    expect({ users, failed: [...failures.keys()], isComplete }).toEqual({
      users: 2,
      failed: ['1'],
      isComplete: true,
    });
    expect([...attempts.values()]).toEqual([2, 5, 1]);
  });

  it('does not retry after a permanent error', async () => {
    const { sessions, attempts } = sessionsOf([
      () => {
        throw new Error('a script error');
      },
    ]);

    expect([...(await sessions.end()).failures.values()]).toMatchObject([
      { message: 'a script error' },
    ]);
    expect(attempts.get('0')).toBe(1);
  });

  it('stops after too many failures', async () => {
    const { sessions, attempts, audited } = sessionsOf(many(10_000, unconfirmed));

    const { failures, isComplete } = await sessions.end();

    expect(isComplete).toBe(false);
    expect(failures.size).toBeLessThan(200);
    expect(attempts.size).toBe(failures.size);
    expect(audited).toMatchObject([{ details: { notTried: 10_000 - failures.size } }]);
  });
});
