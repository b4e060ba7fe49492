import type { Permission } from '../../common/authentication/index.js';

/** The state of a service account, which decides whether its tokens are accepted. */
export type AccountState =
  | {
      readonly state: 'live';
      readonly permissions: readonly Permission[];
      /** The audiences that its tokens may have. */
      readonly audiences: readonly string[];
      /** The epoch of accepted tokens. */
      readonly epoch: number;
      /** Ids (`jti`) of revoked access tokens. */
      readonly revokedTokens: ReadonlySet<string>;
    }
  /** It was deleted or disabled. */
  | { readonly state: 'gone' }
  | { readonly state: 'unknown' };
