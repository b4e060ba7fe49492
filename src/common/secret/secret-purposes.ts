/**
 * Everything that a key is derived for. `deriveKey` gives each purpose a key of its own (HKDF, RFC 5869), also where the secret
 * is the same, so that none of these keys can be used in the place of another one. `KEY_ENCRYPTION_SECRET` is the secret of all
 * but `refreshAnswers`, whose secret is the spent refresh token. A process that only checks access tokens needs none of them.
 *
 * The texts are part of the stored formats: what was made with one can be read with the same text only.
 */
export const SECRET_PURPOSES = {
  /** Encrypts private keys in Redis. */
  signingKeys: 'keyslot signing keys',
  /** Tags refresh tokens as ours. */
  refreshTokens: 'keyslot refresh tokens',
  /** Encrypts the answers of the last refreshes. */
  refreshAnswers: 'keyslot refresh answer',
  /** Authenticates the cookies of known devices. */
  deviceCookies: 'keyslot device cookies',
  /** Makes the pseudonyms of names in audit events. */
  auditPseudonyms: 'keyslot audit pseudonyms',
} as const;

export type SecretPurpose = (typeof SECRET_PURPOSES)[keyof typeof SECRET_PURPOSES];
