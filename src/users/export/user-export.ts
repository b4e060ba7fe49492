import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import { OperatorError } from '../../common/operator-error/index.js';
import type { Origin } from '../../common/origin/index.js';
import { importedHashIn } from '../../credentials/index.js';
import { ListedUsers } from '../directory/listed-users.js';
import type { ListedUser } from '../directory/user-directory.js';
import { ACCOUNTS, type Accounts } from '../store/accounts.js';
import { untilAnswered } from '../until-answered.js';

/** A user in the format `keyslot` of the import. Members without a value are absent. */
export interface ExportedUser {
  readonly id: string;
  readonly username: string;
  readonly email?: string;
  readonly emailVerified?: true;
  readonly displayName?: string;
  readonly roles?: readonly string[];
  readonly disabled?: true;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Also a hash of another system, in its form. */
  readonly passwordHash?: string;
  /** The user has not set a password yet. */
  readonly invited?: true;
}

/** Exports all users, through the directory. */
@Injectable()
export class UserExport {
  constructor(
    private readonly listed: ListedUsers,
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly audit: AuditLog,
  ) {}

  /** Whether the users can be listed: a store of the application needs a directory. */
  get isSupported(): boolean {
    return this.listed.isSupported;
  }

  /**
   * A user who exists and does not change during the export is in it exactly once.
   *
   * @param hasPasswordHashes whether the users contain their password hashes. They then can log in after an import
   * @param comparison if given, the export compares the directory with the keys of all users, for which it needs the right to scan.
   * `onImpossible` is called when this right is missing, or when the application has a store of its own
   * @throws OperatorError at the end: some users are not in the directory. RedisUnavailableError, UserStoreUnavailableError: nothing
   * answered for a minute. UserStoreError
   */
  async *users(
    hasPasswordHashes: boolean,
    origin: Origin,
    comparison?: { readonly onImpossible: () => void },
  ): AsyncGenerator<ExportedUser> {
    let users = 0;
    let isComplete = false;
    try {
      // Before the pages: a user who is created later may be missing.
      const missing = comparison && (await this.listed.storedIds());
      if (!missing) {
        comparison?.onImpossible();
      }
      for await (const page of this.listed.pages()) {
        const exported = await Promise.all(
          page.map(async (user) =>
            exportedUser(user, hasPasswordHashes ? await this.hashOf(user) : undefined),
          ),
        );
        users += exported.length;
        exported.forEach(({ id }) => missing?.delete(id));
        yield* exported;
      }
      const count = await this.listed.countStored(missing ?? []);
      if (count > 0) {
        throw new OperatorError(
          `The export is not complete: ${count} users are not in the directory. Run 'users reindex' first.`,
        );
      }
      isComplete = true;
    } finally {
      this.audit.record({
        type: 'users-exported',
        result: isComplete ? 'success' : 'failure',
        reason: isComplete ? undefined : 'incomplete',
        ...origin.facts,
        details: { users, passwordHashes: hasPasswordHashes },
      });
    }
  }

  /** @returns undefined when the user was deleted meanwhile; empty for an invited user */
  private async hashOf({ id }: ListedUser): Promise<string | undefined> {
    const user = await untilAnswered(async (deadline) => this.accounts.find(id, deadline));
    const stored = user?.passwordHash.reveal();
    return stored && (importedHashIn(stored) ?? stored);
  }
}

function exportedUser(user: ListedUser, hash: string | undefined): ExportedUser {
  const { id, username, email, verifiedEmail, displayName, roles, isDisabled, createdAt } = user;
  return {
    id,
    username,
    ...(email === null ? {} : { email }),
    ...(email !== null && verifiedEmail === email ? { emailVerified: true } : {}),
    ...(displayName === null ? {} : { displayName }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(isDisabled ? { disabled: true } : {}),
    createdAt: createdAt.toISOString(),
    ...(hash ? { passwordHash: hash } : {}),
    ...(hash === '' ? { invited: true } : {}),
  };
}
