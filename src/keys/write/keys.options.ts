import type { Secret } from '../../common/secret/index.js';
import type { KeyRingOptions } from '../read/index.js';

export interface KeysOptions extends KeyRingOptions {
  /** The `iss` of the tokens that are issued and accepted. Every instance of a cluster must have the same. */
  readonly issuer?: string;
  /** Becomes the cluster's issuer when none was set and this instance makes the first key. */
  readonly baseUrl: string;
  /** Encrypts the private keys at rest. The same for every instance of a cluster; at least 32 characters. */
  readonly encryptionSecret: Secret;
}
