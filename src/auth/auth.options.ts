import type { Secret } from '../common/secret/index.js';
import { GUARD_DEFAULTS } from '../guard/index.js';

export interface AuthOptions {
  /**
   * The keys for refresh tokens and device cookies are derived from it. Must be the same on every instance of a cluster, with
   * at least 32 characters.
   */
  readonly tokenSecret: Secret;
  /**
   * The audience of access tokens: `aud`. Must be the option `audience` of GuardModule, or contain it: services accept tokens
   * whose `aud` contains their own names. A list of one is written as text. Default `keyslot`.
   */
  readonly audience?: string | readonly string[];
  /** The claim `client_id` of access tokens (RFC 9068 section 2.2). Default `keyslot`. */
  readonly clientId?: string;
  /** Lifetime of an access token in seconds, at most 3600. Default 900. */
  readonly accessTtlSeconds?: number;
  /**
   * Whether clients use HTTPS, directly or through a proxy. Device cookies then have the prefix `__Host-` and the attribute
   * `Secure`. Default false.
   */
  readonly isHttps?: boolean;
  /**
   * The URL of the pages that use passkeys. Browsers accept https:// with a host name, and http://localhost. Default
   * `http://localhost:3000`.
   */
  readonly publicUrl?: string;
}

export const AUTH_DEFAULTS = {
  audience: GUARD_DEFAULTS.audience,
  clientId: 'keyslot',
  accessTtlSeconds: 900,
  isHttps: false,
  publicUrl: 'http://localhost:3000',
} as const;
