/** A second factor of a user, as it is stored. */
export interface Factor {
  /** A UUID. */
  readonly id: string;
  readonly type: string;
  /** The user's name for it, or ''. */
  readonly name: string;
  /** Only a confirmed factor counts. */
  readonly isConfirmed: boolean;
  readonly createdAt: Date;
  /** Undefined until the first use at a login. */
  readonly lastUsedAt: Date | undefined;
  /** Changes with each write. */
  readonly revision: string;
  /** What the type stores, encrypted. */
  readonly state: string;
}

export type NewFactor = Pick<Factor, 'id' | 'type' | 'name' | 'isConfirmed' | 'state'>;

/** A login whose first step has succeeded. */
export interface PendingLogin {
  readonly userId: string;
  /** A digest of the challenge that the client has. */
  readonly digest: string;
}

export interface FoundFactors {
  /** The version of the password that the first step verified; undefined when the pending login has ended. */
  readonly passwordVersion: number | undefined;
  readonly factors: readonly Factor[];
}

export type FactorRemoval =
  /** `ended`: the session that asked is not live. */
  | { readonly outcome: 'changed' | 'unknown' | 'ended' }
  /** The user has a role of `unlessRoles`. */
  | { readonly outcome: 'protected'; readonly role: string };

export type FactorUse =
  /** `version`: of the user's factors. A session starts only while it is current. */
  | { readonly outcome: 'used'; readonly version: string }
  /** `outdated`: another call has changed the factor. `unknown`: the factor or the pending login is gone. */
  | { readonly outcome: 'outdated' | 'unknown' };
