import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import type { AdministrationCaller, UserPrincipal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { listOf, type RuleFailure } from '../common/validation/index.js';
import { RECOVERY_CODE } from '../credentials/index.js';
import { RoleReader } from '../roles/read/index.js';
import { CONFLICT, FactorWriter, retryOnConflict } from '../user-slot/write/index.js';
import { AccountNotices } from './account-mails/account-notices.js';
import { PasswordResets, type AdministeredResetOutcome } from './account-mails/password-resets.js';
import { AdministrationAuthority } from './administration-authority.js';
import { changeEvents } from './change-events.js';
import { checkProfile, hasFailure } from './profile-rules.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import type {
  AdministrationOutcome,
  AdministrationRefusal,
  FactorsOutcome,
  FactorsRemovalOutcome,
  InvalidUserChange,
  SessionsEndOutcome,
  UserRemovalOutcome,
} from './user-administration.outcomes.js';
import type { UserChange } from './user.js';

const NO_EMAIL: RuleFailure = { code: 'no-email' };

/**
 * Changes of other users. A caller can change only roles and users within its own permissions. The write checks that. A change
 * that reduces access takes effect on every instance before its method returns.
 *
 * All methods throw RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError and UserStoreError.
 */
@Injectable()
export class UserAdministration {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly factors: FactorWriter,
    private readonly authority: AdministrationAuthority,
    private readonly roles: RoleReader,
    private readonly notices: AccountNotices,
    private readonly resets: PasswordResets,
    private readonly audit: AuditLog,
  ) {}

  /** Changes a user. Only roles that exist can be assigned. */
  async change(
    actor: AdministrationCaller,
    userId: string,
    { roles, disabled, email, displayName, emailVerified }: UserChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AdministrationOutcome> {
    const failures = {
      roles: roles && (await this.failureOfRoles(roles, deadline)),
      ...checkProfile({ email, displayName }),
      emailVerified: emailVerified && email === null ? NO_EMAIL : undefined,
    };
    if (hasFailure(failures)) {
      return { outcome: 'refused', failures };
    }
    const { self, beyond, knownAdministratorId } = await this.authority.over(
      actor,
      userId,
      deadline,
    );
    if (self && (disabled || (roles && (await this.losesRole(self, roles, deadline))))) {
      return this.authority.refuse(userId, { outcome: 'own-access' }, origin);
    }
    const granted = roles?.find((role) => beyond.includes(role));
    if (granted !== undefined) {
      return this.authority.refuseBeyond(userId, granted, origin);
    }
    const given = { email, displayName, roles: roles && [...new Set(roles)], isDisabled: disabled };
    if ([...Object.values(given), emailVerified].every((value) => value === undefined)) {
      const found = await this.authority.findWithin(beyond, userId, origin, deadline);
      return found.outcome === 'found' ? { outcome: 'changed', user: found.user } : found;
    }
    const isOwnAddress = self && email !== undefined && email !== self.user.email;
    const isOwnConfirmation = self && emailVerified;
    const refusal = (isOwnAddress || isOwnConfirmation) && this.authority.refusalOfOwn(self);
    if (refusal) {
      return this.authority.refuse(userId, refusal, origin);
    }
    const effect = isOwnAddress ? { endsSessions: true, exceptSessionId: self.sessionId } : {};
    const conditions = { unlessRoles: beyond, knownAdministratorId };
    const change = { ...given, ...effect, ...conditions };
    const asked = { email, displayName, roles: given.roles, disabled, emailVerified };
    if (email !== undefined) {
      const former = self?.user ?? (await this.accounts.find(userId, deadline));
      if (former && former.email !== email) {
        await this.notices.emailChanges(former, email, randomUUID(), origin, deadline);
      }
    }
    return retryOnConflict<AdministrationOutcome>(async () => {
      const confirmed = await this.confirmedAddress(asked, userId, beyond, origin, deadline);
      if ('outcome' in confirmed) {
        return confirmed;
      }
      const result = await this.audit.recordChange(
        changeEvents(userId, asked, origin),
        async () => this.accounts.update(userId, { ...change, ...confirmed }, deadline),
        ({ outcome }) => outcome === 'changed',
      );
      if (result.outcome === 'outdated' && confirmed.ifRevision !== undefined) {
        return CONFLICT;
      }
      return result.outcome === 'changed'
        ? result
        : this.authority.refusalOf(userId, result, origin);
    });
  }

  /** Deletes a user without asking for the password. */
  async delete(
    actor: AdministrationCaller,
    userId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<UserRemovalOutcome> {
    const { self, beyond, knownAdministratorId } = await this.authority.over(
      actor,
      userId,
      deadline,
    );
    if (self) {
      return this.authority.refuse(userId, { outcome: 'own-access' }, origin);
    }
    if ((await this.accounts.find(userId, deadline)) === undefined) {
      // The call that deleted the user may have failed before every instance acknowledged the deletion.
      await this.accounts.reload(userId, deadline);
      return { outcome: 'unknown-user' };
    }
    const conditions = { unlessRoles: beyond, knownAdministratorId };
    const result = await this.audit.recordChange(
      [{ type: 'user-deleted', userId, ...origin.facts }],
      async () => this.accounts.remove(userId, conditions, deadline),
      ({ outcome }) => outcome === 'removed',
    );
    return result.outcome === 'removed'
      ? { outcome: 'deleted' }
      : this.authority.refusalOf(userId, result, origin);
  }

  async endSessions(
    actor: AdministrationCaller,
    userId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<SessionsEndOutcome> {
    const { beyond: unlessRoles } = await this.authority.over(actor, userId, deadline);
    const result = await this.audit.recordChange(
      [{ type: 'sessions-ended', userId, ...origin.facts }],
      async () => this.accounts.endSessions(userId, { unlessRoles }, deadline),
      ({ outcome }) => outcome === 'ended',
    );
    return result.outcome === 'ended' ? result : this.authority.refusalOf(userId, result, origin);
  }

  /** Lists the confirmed second factors of a user, the oldest first. */
  async readFactors(
    actor: AdministrationCaller,
    userId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<FactorsOutcome> {
    const { self } = await this.authority.over(actor, userId, deadline);
    const refusal = self && this.authority.refusalOfOwn(self);
    if (refusal) {
      // No event, as for the list of the own factors: a page that shows a user asks without being told to.
      return refusal;
    }
    const [user, { factors }] = await Promise.all([
      this.accounts.find(userId, deadline),
      this.factors.find(userId, deadline),
    ]);
    this.audit.record({
      type: 'factors-read',
      result: user ? 'success' : 'failure',
      reason: user ? undefined : 'not-found',
      userId,
      ...origin.facts,
    });
    return user
      ? { outcome: 'found', factors: factors.filter(({ isConfirmed }) => isConfirmed) }
      : { outcome: 'unknown-user' };
  }

  /** Removes all second factors of a user who has lost them. All sessions of the user end, also when there are no factors. */
  async removeFactors(
    actor: AdministrationCaller,
    userId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<FactorsRemovalOutcome> {
    const { self, beyond: unlessRoles } = await this.authority.over(actor, userId, deadline);
    const refusal = self && this.authority.refusalOfOwn(self);
    if (refusal) {
      return this.authority.refuse(userId, refusal, origin);
    }
    const [former, { factors }] = await Promise.all([
      this.accounts.find(userId, deadline),
      this.factors.find(userId, deadline),
    ]);
    if (former && factors.some(({ isConfirmed }) => isConfirmed)) {
      await this.notices.factorRemoves(former, undefined, origin, deadline);
    }
    const result = await this.audit.recordChange(
      [{ type: 'factors-removed', userId, ...origin.facts }],
      async () => this.factors.remove(userId, undefined, RECOVERY_CODE, { unlessRoles }, deadline),
      ({ outcome }) => outcome === 'changed',
    );
    switch (result.outcome) {
      case 'changed':
        return { outcome: 'removed' };
      case 'protected':
        return this.authority.refusalOf(userId, result, origin);
      case 'unknown':
      case 'ended': {
        // There are no factors. An earlier call may have removed them and failed before every instance acknowledged that.
        const ended = await this.endSessions(actor, userId, origin, deadline);
        return ended.outcome === 'ended' ? { outcome: 'removed' } : ended;
      }
    }
  }

  /** Sends a user a mail with a link for a new password: see `PasswordResets.sendTo`. */
  async sendPasswordReset(
    actor: AdministrationCaller,
    userId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AdministeredResetOutcome | AdministrationRefusal> {
    const { beyond } = await this.authority.over(actor, userId, deadline);
    const found = await this.authority.findWithin(beyond, userId, origin, deadline);
    return found.outcome === 'found' ? this.resets.sendTo(found.user, origin, deadline) : found;
  }

  private async failureOfRoles(
    roles: readonly string[],
    deadline: Deadline,
  ): Promise<RuleFailure | undefined> {
    const names = roles.length > 0 ? (await this.roles.current(deadline)).names : [];
    return listOf(names)(roles);
  }

  private async losesRole(
    { user }: UserPrincipal,
    roles: readonly string[],
    deadline: Deadline,
  ): Promise<boolean> {
    const { names } = await this.roles.current(deadline);
    return names.some((name) => user.roles.includes(name) && !roles.includes(name));
  }

  /** The part of a change that confirms the address. If the address stays, the revision assures that it is the one that was read. */
  private async confirmedAddress(
    { email, emailVerified }: UserChange,
    userId: string,
    beyond: readonly string[],
    origin: Origin,
    deadline: Deadline,
  ): Promise<
    | { readonly verifiedEmail?: string | null; readonly ifRevision?: string }
    | InvalidUserChange
    | AdministrationRefusal
  > {
    if (!emailVerified) {
      return emailVerified === undefined ? {} : { verifiedEmail: null };
    }
    if (typeof email === 'string') {
      return { verifiedEmail: email };
    }
    const found = await this.authority.findWithin(beyond, userId, origin, deadline);
    if (found.outcome !== 'found') {
      return found;
    }
    const { email: address, revision } = found.user;
    return address === null
      ? { outcome: 'refused', failures: { ...checkProfile({}), emailVerified: NO_EMAIL } }
      : { verifiedEmail: address, ifRevision: revision };
  }
}
