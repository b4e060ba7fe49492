import type { RuleFailure } from '../common/validation/index.js';
import type { Factor } from '../user-slot/read/index.js';
import type { ProfileFailures } from './profile-rules.js';
import type { UserRecord } from './user.js';

export type AdministrationRefusal = {
  readonly outcome:
    | 'unknown-user'
    /** Callers cannot remove their own access. */
    | 'own-access'
    /** The user has permissions that the caller lacks, or would receive such permissions. */
    | 'beyond-own-permissions'
    /** No other enabled administrator is known. */
    | 'last-administrator'
    /** The caller's own second factors and e-mail address require a recent login, and a token without a scope. */
    | 'reauthentication-required'
    | 'unlimited-token-required';
};

/** The change breaks these rules. */
export interface InvalidUserChange {
  readonly outcome: 'refused';
  readonly failures: ProfileFailures & {
    readonly roles?: RuleFailure | undefined;
    readonly emailVerified?: RuleFailure | undefined;
  };
}

export type AdministrationOutcome =
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  | InvalidUserChange
  | AdministrationRefusal;

export type UserRemovalOutcome = { readonly outcome: 'deleted' } | AdministrationRefusal;
export type SessionsEndOutcome = { readonly outcome: 'ended' } | AdministrationRefusal;
export type FactorsOutcome =
  { readonly outcome: 'found'; readonly factors: readonly Factor[] } | AdministrationRefusal;
export type FactorsRemovalOutcome = { readonly outcome: 'removed' } | AdministrationRefusal;
