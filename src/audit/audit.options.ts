import type { Secret } from '../common/secret/index.js';

export interface AuditOptions {
  /**
   * Key material for pseudonyms: at least 32 characters, the same for every instance of a cluster. Default: random, so that
   * pseudonyms differ between processes.
   */
  readonly pseudonymSecret?: Secret;
}
