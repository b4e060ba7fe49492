import type { Secret } from '../../common/secret/index.js';
import type { KeyRingOptions } from '../read/index.js';

export interface KeysOptions extends KeyRingOptions {
  /** The `iss` of issued and accepted tokens. Every instance of a cluster needs the same value. */
  readonly issuer?: string;
  /** Becomes the issuer of the cluster if `issuer` is not set and this instance creates the first key. */
  readonly baseUrl: string;
  /** Encrypts the private keys in Redis. At least 32 characters. Every instance of a cluster needs the same value. */
  readonly encryptionSecret: Secret;
  /**
   * How long a session lives without use. It is stored with the keys for services with the guard. Default: the stored value stays,
   * and without one, services assume 30 days.
   */
  readonly sessionIdleTtlSeconds?: number;
  /** The age at which a new signing key replaces the current one. At least a day. Default 90 days. */
  readonly lifetimeSeconds?: number;
  /** Whether to rotate the signing keys when that is due. Default true. */
  readonly doesDueWork?: boolean;
}
