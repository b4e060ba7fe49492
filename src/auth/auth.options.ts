export interface AuthOptions {
  /** Who the access tokens are for: `aud`. Default `keyslot`. */
  readonly audience?: string;
  /** The client that logs in here: `client_id` (RFC 9068 section 2.2). Default `keyslot`. */
  readonly clientId?: string;
  /** Life of an access token in seconds, at most 3600. Default 900. */
  readonly accessTtlSeconds?: number;
}

export const AUTH_DEFAULTS = {
  audience: 'keyslot',
  clientId: 'keyslot',
  accessTtlSeconds: 900,
} as const;
