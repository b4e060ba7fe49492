import type { Secret } from '../common/secret/index.js';

export interface AuditOptions {
  /**
   * What pseudonyms are made with. The same for every instance of a cluster; at least 32 characters. Default: a random one,
   * and then each process has pseudonyms of its own.
   */
  readonly pseudonymSecret?: Secret;
}
