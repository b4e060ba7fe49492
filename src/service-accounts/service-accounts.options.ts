export interface ServiceAccountsOptions {
  /** The audience of accounts that are created without one. Must equal the option `audience` of GuardModule. Default `keyslot`. */
  readonly audience?: string;
}

export const SERVICE_ACCOUNTS_DEFAULTS = { audience: 'keyslot' } as const;
