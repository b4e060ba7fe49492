import type { RolesOptions } from '../common/authentication/index.js';

/** Every process that checks tokens of one cluster needs the same roles. */
export interface GuardOptions extends RolesOptions {
  /** Who the accepted access tokens are for: `aud`. Default `keyslot`. */
  readonly audience?: string;
}

export const GUARD_DEFAULTS = { audience: 'keyslot' } as const;
