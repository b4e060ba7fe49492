import { randomBytes } from 'node:crypto';

import { sha256 } from '../../common/digest/index.js';
import { Secret, SECRET_PURPOSES, Tags } from '../../common/secret/index.js';
import type { PendingLogin } from '../../user-slot/read/index.js';

const SECRET_BYTES = 24;
const FORM =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.[\w-]{32}\.([\w-]{22})$/;

/**
 * What a client keeps between the two steps of a login: `<user id>.<192 random bits>.<tag>`. The id identifies the slot. Only a
 * digest of the challenge is stored. The tag proves that Keyslot issued it, so forged ones cost nothing.
 */
export class LoginChallenges {
  private readonly tags: Tags;

  constructor(secret: Secret) {
    this.tags = new Tags(secret, SECRET_PURPOSES.loginChallenges);
  }

  issue(userId: string): { readonly challenge: Secret; readonly login: PendingLogin } {
    const body = `${userId}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const text = `${body}.${this.tags.of(body).toString('base64url')}`;
    return { challenge: new Secret(text), login: { userId, digest: sha256(text) } };
  }

  /** @returns undefined if Keyslot did not issue the text */
  recognize(text: string): PendingLogin | undefined {
    const [, userId, tag] = FORM.exec(text) ?? [];
    if (userId === undefined || tag === undefined) {
      return undefined;
    }
    const body = text.slice(0, text.lastIndexOf('.'));
    return this.tags.isOf(Buffer.from(tag, 'base64url'), body)
      ? { userId, digest: sha256(text) }
      : undefined;
  }
}
