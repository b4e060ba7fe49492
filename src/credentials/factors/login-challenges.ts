import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import { sha256 } from '../../common/digest/index.js';
import { deriveKey, Secret, SECRET_PURPOSES } from '../../common/secret/index.js';
import type { PendingLogin } from '../../user-slot/read/index.js';

const SECRET_BYTES = 24;
const TAG_BYTES = 16;
const FORM =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.[\w-]{32}\.([\w-]{22})$/;

/**
 * What a client keeps between the two steps of a login: `<user id>.<192 random bits>.<tag>`. The id identifies the slot. Only a
 * digest of the challenge is stored. The tag proves that Keyslot issued it, so forged ones cost nothing.
 */
export class LoginChallenges {
  private readonly key: Uint8Array;

  constructor(secret: Secret) {
    this.key = deriveKey(secret, SECRET_PURPOSES.loginChallenges);
  }

  issue(userId: string): { readonly challenge: Secret; readonly login: PendingLogin } {
    const body = `${userId}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const text = `${body}.${this.tagOf(body).toString('base64url')}`;
    return { challenge: new Secret(text), login: { userId, digest: sha256(text) } };
  }

  /** @returns undefined if Keyslot did not issue the text */
  recognize(text: string): PendingLogin | undefined {
    const [, userId, tag] = FORM.exec(text) ?? [];
    if (userId === undefined || tag === undefined) {
      return undefined;
    }
    const given = Buffer.from(tag, 'base64url');
    const expected = this.tagOf(text.slice(0, text.lastIndexOf('.')));
    return given.length === TAG_BYTES && timingSafeEqual(given, expected)
      ? { userId, digest: sha256(text) }
      : undefined;
  }

  private tagOf(body: string): Buffer {
    return createHmac('sha256', this.key).update(body).digest().subarray(0, TAG_BYTES);
  }
}
