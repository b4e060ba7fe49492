export interface KeyRingOptions {
  /** What `iss` of an accepted token must be. Default: the issuer that is stored with the cluster's keys. */
  readonly issuer?: string;
}
