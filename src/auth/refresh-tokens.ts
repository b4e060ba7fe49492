import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';

import { Secret, SECRET_PURPOSES, Tags } from '../common/secret/index.js';
import { AUTH_OPTIONS } from './auth.module-definition.js';
import type { AuthOptions } from './auth.options.js';

const SECRET_BYTES = 32;
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const FORM = new RegExp(`^(${UUID})\\.(${UUID})\\.[\\w-]{43}\\.([\\w-]{22})$`);

/** A refresh token that Keyslot issued, spent or not. */
export interface RecognizedToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly token: Secret;
}

/**
 * Refresh tokens: `<user id>.<session id>.<256 random bits>.<tag>`. The ids identify the slot and the session. The random bits
 * are the secret. The tag proves that Keyslot issued the token: the reuse of a spent token must end the session, while a forged
 * token must not.
 */
@Injectable()
export class RefreshTokens {
  private readonly tags: Tags;

  constructor(@Inject(AUTH_OPTIONS) options: AuthOptions) {
    this.tags = new Tags(options.tokenSecret, SECRET_PURPOSES.refreshTokens);
  }

  issue(userId: string, sessionId: string): Secret {
    const body = `${userId}.${sessionId}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
    return new Secret(`${body}.${this.tags.of(body).toString('base64url')}`);
  }

  /** @returns undefined if Keyslot did not issue the text */
  recognize(text: string): RecognizedToken | undefined {
    const [, userId, sessionId, tag] = FORM.exec(text) ?? [];
    if (userId === undefined || sessionId === undefined || tag === undefined) {
      return undefined;
    }
    const isOurs = this.tags.isOf(
      Buffer.from(tag, 'base64url'),
      text.slice(0, text.lastIndexOf('.')),
    );
    return isOurs ? { userId, sessionId, token: new Secret(text) } : undefined;
  }
}
