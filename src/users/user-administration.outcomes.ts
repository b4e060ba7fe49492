import type { RuleFailure } from '../common/validation/index.js';
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
    /** A change of the caller's own e-mail address or second factors requires a recent login, and a token without a scope. */
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
export type FactorsRemovalOutcome = { readonly outcome: 'removed' } | AdministrationRefusal;
