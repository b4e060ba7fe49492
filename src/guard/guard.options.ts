import type { RolesOptions } from '../common/authentication/index.js';

/**
 * `roles` are the defaults of this process. Every process that checks the tokens of a cluster needs the same ones. Roles that
 * are stored in the cluster (`PUT /api/roles/{name}`) count in every process, without its code.
 */
export interface GuardOptions extends RolesOptions {
  /** The required `aud` of accepted access tokens. Default `keyslot`. */
  readonly audience?: string;
}

/** For introspection: every token of Keyslot is accepted, whatever its audience. */
export const ANY_AUDIENCE = Symbol('ANY_AUDIENCE');

export const GUARD_DEFAULTS = { audience: 'keyslot' } as const;
