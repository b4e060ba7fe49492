import type { RolesOptions } from '../common/authentication/index.js';

/** Every process that checks the tokens of a cluster needs the same roles. */
export interface GuardOptions extends RolesOptions {
  /** The required `aud` of accepted access tokens. Default `keyslot`. */
  readonly audience?: string;
}

export const GUARD_DEFAULTS = { audience: 'keyslot' } as const;
