import type { Permission } from '../../common/authentication/index.js';

/** The state of a service account, which decides whether its tokens are accepted. */
export type AccountState =
  | LiveAccount
  /** It was deleted or disabled. */
  | { readonly state: 'gone' }
  | { readonly state: 'unknown' };

export interface LiveAccount {
  readonly state: 'live';
  readonly permissions: readonly Permission[];
  /** The audiences that its tokens may have. */
  readonly audiences: readonly string[];
  /** The epoch of accepted tokens. */
  readonly epoch: number;
  /** Ids (`jti`) of revoked access tokens. */
  readonly revokedTokens: ReadonlySet<string>;
}

/**
 * Whether an account accepts a token, apart from its audience.
 *
 * @param epoch of the account when the token was issued
 */
export function acceptsToken(
  account: AccountState,
  epoch: number,
  tokenId: string,
): account is LiveAccount {
  return account.state === 'live' && account.epoch === epoch && !account.revokedTokens.has(tokenId);
}
