import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  EndOutcome,
  NewAccount,
  RemovalOutcome,
} from './accounts.js';

/** Accounts that call other accounts. A subclass overrides what it changes. */
export abstract class ForwardingAccounts implements Accounts {
  constructor(protected readonly accounts: Accounts) {}

  async create(
    user: NewAccount,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    return this.accounts.create(user, passwordHash, deadline);
  }

  async isFree(user: NewAccount, deadline: Deadline): Promise<boolean> {
    return this.accounts.isFree(user, deadline);
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.find(userId, deadline);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findByUsername(usernameKey, deadline);
  }

  async locate(
    usernameKey: string,
    deadline: Deadline,
  ): Promise<() => Promise<UserRecord | undefined>> {
    return this.accounts.locate(usernameKey, deadline);
  }

  async update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome> {
    return this.accounts.update(userId, change, deadline);
  }

  async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    return this.accounts.remove(userId, conditions, deadline);
  }

  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    await this.accounts.renewHash(userId, verified, renewed, deadline);
  }

  async endSessions(
    userId: string,
    conditions: Parameters<Accounts['endSessions']>[1],
    deadline: Deadline,
  ): Promise<EndOutcome> {
    return this.accounts.endSessions(userId, conditions, deadline);
  }

  async prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.prepareLogin(user, deadline);
  }

  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findCurrent(userId, deadline);
  }

  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.reload(userId, deadline);
  }
}
