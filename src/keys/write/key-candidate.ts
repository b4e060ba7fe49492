import { exportJWK, type JWK } from 'jose';
import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

import type { Secret } from '../../common/secret/index.js';
import { encryptKey } from './key-encryption.js';

/** A generated key that is not stored yet. */
export interface KeyCandidate {
  readonly kid: string;
  readonly publicJwk: string;
  readonly encryptedKey: string;
}

export async function newCandidate(secret: Secret): Promise<KeyCandidate> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'prime256v1',
  });
  const kid = randomUUID();
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  return {
    kid,
    publicJwk: JSON.stringify(publicJwk),
    encryptedKey: await encryptKey(await exportJWK(privateKey), secret),
  };
}
