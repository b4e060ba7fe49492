import { randomUUID } from 'node:crypto';

import { Deadline } from '../../common/deadline/index.js';
import { UserStoreUnavailableError } from '../store/user-store.js';
import type { ListedUser, UserPage } from './user-directory.js';
import { ValidatingUserDirectory } from './validating-user-directory.js';

const user = (): ListedUser => ({
  id: randomUUID(),
  username: 'ada',
  email: 'ada@example.com',
  verifiedEmail: 'ada@example.com',
  displayName: null,
  roles: ['admin'],
  createdAt: new Date(1),
  updatedAt: new Date(2),
  isDisabled: false,
});
const listFrom = async (
  answer: () => Promise<unknown>,
  deadline = Deadline.none,
): Promise<UserPage | undefined> => {
  const directory = { list: async () => answer() as Promise<UserPage | undefined> };
  return new ValidatingUserDirectory(directory).list({}, undefined, 2, deadline);
};
const returning = async (page: unknown): Promise<UserPage | undefined> =>
  listFrom(() => Promise.resolve(page));

describe('a directory of the application', () => {
  it('passes on valid pages, and no other members of the users', async () => {
    const listed = user();
    const row = { ...listed, displayName: undefined, passwordHash: '$hash$' };

    expect(await returning({ users: [row], next: 'a cursor' })).toEqual({
      users: [listed],
      next: 'a cursor',
    });
    expect(await returning({ users: [], next: null })).toEqual({ users: [], next: undefined });
    expect(await returning(undefined)).toBeUndefined();
  });

  it('passes on a confirmed address only while it is the address of the user', async () => {
    const former = { ...user(), verifiedEmail: 'former@example.com' };

    const page = await returning({ users: [former] });

    expect(page?.users).toEqual([{ ...former, verifiedEmail: null }]);
  });

  it.each<[string, unknown]>([
    ['without its list', { next: 'a cursor' }],
    ['a page of 3 for a limit of 2', { users: [user(), user(), user()] }],
    ['an invalid cursor', { users: [], next: '' }],
    ['an invalid cursor', { users: [], next: 'x'.repeat(2001) }],
    ['an invalid cursor', { users: [], next: 'a\u0000' }],
    ['an invalid cursor', { users: [], next: 7 }],
    ['an invalid user: email', { users: [{ ...user(), email: 7 }] }],
    [
      'an invalid user: createdAt, isDisabled',
      { users: [{ ...user(), createdAt: 'now', isDisabled: 0 }] },
    ],
    ['an invalid user: id', { users: [null] }],
  ])('is reported to the operator if it returns %s, without the values', async (words, page) => {
    const error: unknown = await returning(page).catch((thrown: unknown) => thrown);
    const { name, message } = error as Error;

    expect(name).toBe('UserStoreError');
    expect(message).toContain(words);
    expect(message).not.toContain('ada');
  });

  it('has no members of its errors in ours, because they contain rows', async () => {
    const fault = Object.assign(new Error('a defect'), { detail: 'ada@example.com' });
    const error: unknown = await listFrom(() => Promise.reject(fault)).catch(
      (thrown: unknown) => thrown,
    );

    expect(error).toMatchObject({ name: 'UserStoreError', message: 'Error: a defect' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('example.com');
  });

  it('may be unavailable', async () => {
    const error = new UserStoreUnavailableError('no connection');

    await expect(listFrom(() => Promise.reject(error))).rejects.toBe(error);
  });

  it('is not waited for after the deadline, and not asked when it has passed', async () => {
    let calls = 0;
    const never = async (): Promise<unknown> => {
      calls += 1;
      return new Promise(() => undefined);
    };

    await expect(listFrom(never, Deadline.after(20))).rejects.toThrow(UserStoreUnavailableError);
    await expect(listFrom(never, Deadline.after(0))).rejects.toThrow(UserStoreUnavailableError);
    expect(calls).toBe(1);
  });
});
