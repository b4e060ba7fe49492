/**
 * The purposes of derived keys. `deriveKey` derives a separate key for each purpose (HKDF, RFC 5869), even from the same
 * secret. `KEY_ENCRYPTION_SECRET` is the secret for all purposes except `refreshAnswers`, whose secret is the used refresh
 * token. A process that only checks access tokens needs none of these keys.
 *
 * The texts are part of the stored formats and must not change.
 */
export const SECRET_PURPOSES = {
  /** Encrypts private keys in Redis. */
  signingKeys: 'keyslot signing keys',
  /** Tags refresh tokens, so that forged ones are recognized without Redis. */
  refreshTokens: 'keyslot refresh tokens',
  /** Encrypts the stored responses of recent refreshes, which a retry receives again. */
  refreshAnswers: 'keyslot refresh answer',
  /** Authenticates the cookies of known devices. */
  deviceCookies: 'keyslot device cookies',
  /** Tags the challenges between the two steps of a login. */
  loginChallenges: 'keyslot login challenges',
  /** Tags the challenges of logins with a passkey alone. */
  passkeyChallenges: 'keyslot passkey challenges',
  /** Encrypts the states of second factors in Redis. */
  factors: 'keyslot second factors',
  /** Computes pseudonyms of user names in audit events. */
  auditPseudonyms: 'keyslot audit pseudonyms',
} as const;

export type SecretPurpose = (typeof SECRET_PURPOSES)[keyof typeof SECRET_PURPOSES];
