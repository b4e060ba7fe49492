export interface KeyRingOptions {
  /** The required `iss` of accepted tokens. Default: the issuer that is stored with the keys of the cluster. */
  readonly issuer?: string;
}
