import type { Secret } from '../common/secret/index.js';
import type { NewUser, StoredChange, UserRecord, UserStore } from '../users/index.js';

interface Entry {
  readonly usernameKey: string;
  readonly user: UserRecord;
}

/**
 * A `UserStore` for tests. It keeps users in the memory of this process, and passes the contract for concurrent callers in the
 * process.
 *
 * @example
 * run({ userStore: { useClass: InMemoryUserStore } })
 */
export class InMemoryUserStore implements UserStore {
  private readonly entries = new Map<string, Entry>();
  /** Includes the names of users whose password is being hashed. */
  private readonly takenNames = new Set<string>();

  async create(
    { id, username, usernameKey, email, displayName, roles, createdAt, isDisabled }: NewUser,
    passwordHash: () => Promise<Secret>,
  ): Promise<UserRecord | undefined> {
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

  private put(usernameKey: string, user: UserRecord): UserRecord {
    this.entries.set(user.id, { usernameKey, user });
    return user;
  }
}
