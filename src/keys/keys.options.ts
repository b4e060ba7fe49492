import type { Secret } from '../common/secret/index.js';

export interface KeysOptions {
  /** What `iss` says, when it was set; every instance of a cluster must be set alike. */
  readonly issuer?: string;
  /** Becomes the cluster's issuer when none was set and this instance makes the first key. */
  readonly baseUrl: string;
  /** Encrypts the private keys at rest. The same for every instance of a cluster; at least 32 characters. */
  readonly encryptionSecret: Secret;
}
