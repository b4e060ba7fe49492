import type { JWK } from 'jose';

import { OperatorError } from '../../common/operator-error/index.js';
import { seal, SECRET_PURPOSES, unseal, type Secret } from '../../common/secret/index.js';

/** The private key in Redis was encrypted with another secret. The message is meant for the operator. */
export class KeyDecryptionError extends OperatorError {
  override readonly name = 'KeyDecryptionError';
}

export async function encryptKey(key: JWK, secret: Secret): Promise<string> {
  return seal(JSON.stringify(key), secret, SECRET_PURPOSES.signingKeys);
}

/** @throws KeyDecryptionError */
export async function decryptKey(encrypted: string, secret: Secret): Promise<JWK> {
  try {
    return JSON.parse(await unseal(encrypted, secret, SECRET_PURPOSES.signingKeys)) as JWK;
  } catch (cause) {
    throw new KeyDecryptionError(
      'The signing key in Redis was encrypted with another secret. Set KEY_ENCRYPTION_SECRET to the same value for ' +
        'every instance of the cluster.',
      { cause },
    );
  }
}
