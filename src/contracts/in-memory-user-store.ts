import type { Secret } from '../common/secret/index.js';
import {
  canonicalUsername,
  type NewUser,
  type StoredChange,
  type UserDirectory,
  type UserPage,
  type UserQuery,
  type UserRecord,
  type UserStore,
} from '../users/index.js';

interface Entry {
  readonly usernameKey: string;
  readonly user: UserRecord;
}

/**
 * A `UserStore` and `UserDirectory` for tests. It keeps users in the memory of this process, and passes both contracts for
 * concurrent callers in the process.
 *
 * @example
 * run({ userStore: { useClass: InMemoryUserStore } })
 * @example
 * const users = new InMemoryUserStore();
 * run({ userStore: { useValue: users }, userDirectory: { useValue: users } })
 */
export class InMemoryUserStore implements UserStore, UserDirectory {
  private readonly entries = new Map<string, Entry>();
  /** Includes the names of users whose password is being hashed. */
  private readonly takenNames = new Set<string>();

  async create(
    newUser: NewUser,
    passwordHash: () => Promise<Secret>,
  ): Promise<UserRecord | undefined> {
    const { id, username, usernameKey, email, displayName, roles } = newUser;
    const { createdAt, isDisabled, verifiedEmail } = newUser;
    if (this.takenNames.has(usernameKey)) {
      return undefined;
    }
    this.takenNames.add(usernameKey);
    try {
      const hash = await passwordHash();
      const now = new Date();
      return this.put(usernameKey, {
        id,
        username,
        email,
        verifiedEmail: verifiedEmail ?? null,
        displayName,
        roles: [...roles],
        createdAt: createdAt ?? now,
        updatedAt: now,
        isDisabled: isDisabled ?? false,
        passwordHash: hash,
        passwordVersion: 1,
        revision: '1',
      });
    } catch (error) {
      this.takenNames.delete(usernameKey);
      throw error;
    }
  }

  async find(userId: string): Promise<UserRecord | undefined> {
    return Promise.resolve(this.entries.get(userId)?.user);
  }

  async findByUsername(usernameKey: string): Promise<UserRecord | undefined> {
    const entries = [...this.entries.values()];
    return Promise.resolve(entries.find((entry) => entry.usernameKey === usernameKey)?.user);
  }

  async change(
    userId: string,
    { password, ...change }: StoredChange,
    ifRevision: string,
  ): Promise<UserRecord | undefined> {
    const entry = this.entries.get(userId);
    if (entry?.user.revision !== ifRevision) {
      return undefined;
    }
    const now = new Date();
    const named = Object.entries(change).filter(([, value]) => value !== undefined);
    const changed: UserRecord = {
      ...entry.user,
      ...(Object.fromEntries(named) as Partial<UserRecord>),
      ...(password && {
        passwordHash: password.hash,
        passwordVersion: password.version,
        passwordChangedAt: now,
      }),
      updatedAt: now,
      revision: String(Number(ifRevision) + 1),
    };
    return Promise.resolve(this.put(entry.usernameKey, changed));
  }

  async renewHash(userId: string, verified: Secret, renewed: Secret): Promise<void> {
    const entry = this.entries.get(userId);
    if (entry?.user.passwordHash.reveal() === verified.reveal()) {
      this.put(entry.usernameKey, { ...entry.user, passwordHash: renewed });
    }
    return Promise.resolve();
  }

  async delete(userId: string, ifRevision: string): Promise<boolean> {
    const entry = this.entries.get(userId);
    if (entry?.user.revision !== ifRevision) {
      return Promise.resolve(false);
    }
    this.entries.delete(userId);
    this.takenNames.delete(entry.usernameKey);
    return Promise.resolve(true);
  }

  async list(
    query: UserQuery,
    after: string | undefined,
    limit: number,
  ): Promise<UserPage | undefined> {
    const last = after === undefined ? '' : Buffer.from(after, 'base64url').toString();
    if (after !== undefined && !/^[01]:.*\0/s.test(last)) {
      return undefined;
    }
    const found = [...this.entries.values()]
      .flatMap((entry) => {
        const position = positionOf(entry, query);
        return position === undefined ? [] : [{ position, user: entry.user }];
      })
      .filter(({ position }) => last === '' || inOrder(last, position) < 0)
      .sort((one, other) => inOrder(one.position, other.position));
    const page = found.slice(0, limit);
    const next = found.length > limit ? page.at(-1)!.position : undefined;
    return Promise.resolve({
      users: page.map(({ user }) => user),
      next: next === undefined ? undefined : Buffer.from(next).toString('base64url'),
    });
  }

  private put(usernameKey: string, user: UserRecord): UserRecord {
    this.entries.set(user.id, { usernameKey, user });
    return user;
  }
}

/** Where a user is listed: names before addresses. Undefined: nowhere. */
function positionOf(
  { user, usernameKey }: Entry,
  { prefix = '', role, isDisabled = user.isDisabled }: UserQuery,
): string | undefined {
  if (user.isDisabled !== isDisabled || (role !== undefined && !user.roles.includes(role))) {
    return undefined;
  }
  const name = canonicalUsername(prefix);
  if (prefix === '' || (name !== '' && usernameKey.startsWith(name))) {
    return `0:${usernameKey}\0${user.id}`;
  }
  const address = user.email?.toLowerCase();
  return address?.startsWith(prefix.toLowerCase()) ? `1:${address}\0${user.id}` : undefined;
}

/** By code points. */
function inOrder(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
