import { Inject, Injectable } from '@nestjs/common';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { deriveKey, SECRET_PURPOSES } from '../common/secret/index.js';
import { canonicalUsername, proofGeneration, type UserRecord } from '../users/index.js';
import { AUTH_OPTIONS } from './auth.module-definition.js';
import { AUTH_DEFAULTS, type AuthOptions } from './auth.options.js';

const LIFE_SECONDS = 90 * 24 * 3600;
const ID_BYTES = 16;
const VALUE = '([\\w-]{22})\\.([0-9a-z]{1,9})\\.([0-9a-z]{1,11})\\.([\\w-]{43})';

/** What a cookie says, when it is one of ours and not too old. */
export interface RecognizedDevice {
  readonly id: string;
  /** It proves something only while it is `proofGeneration` of the user. */
  readonly generation: number;
}

/**
 * The cookie of a device on which somebody has logged in (OWASP "Slow Down Online Guessing Attacks with Device Cookies"):
 * `<device id>.<issued at, seconds in base 36>.<generation, in base 36>.<HMAC-SHA256>`. It proves nothing but that: wrong
 * passwords from the device are counted apart from those of strangers. It never logs anybody in. The account's name is in the
 * HMAC, not in the cookie. Each login gives another device id, so what a copy of an older cookie may guess is never renewed. A
 * new password ends all cookies of the account, because somebody may have copied one.
 *
 * Over HTTPS its name begins with `__Host-`, and it is Secure: no other host, no plain HTTP and no script can set or read it.
 * Without TLS, as in development, browsers would drop such a cookie, so it is neither.
 */
@Injectable()
export class DeviceCookies {
  private readonly key: Uint8Array;
  private readonly name: string;
  private readonly attributes: string;
  private readonly pattern: RegExp;

  constructor(
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) options: AuthOptions,
  ) {
    this.key = deriveKey(options.tokenSecret, SECRET_PURPOSES.deviceCookies);
    const isHttps = options.isHttps ?? AUTH_DEFAULTS.isHttps;
    this.name = isHttps ? '__Host-keyslot-device' : 'keyslot-device';
    this.attributes =
      `Path=/; Max-Age=${LIFE_SECONDS}; HttpOnly; SameSite=Strict` + (isHttps ? '; Secure' : '');
    this.pattern = new RegExp(`(?:^|; *)${this.name}=${VALUE}(?:;|$)`);
  }

  /** @returns the value of a `Set-Cookie` header, for a device on which the user has proved the password */
  issue(user: Pick<UserRecord, 'username' | 'createdAt' | 'passwordVersion'>): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const numbers = [this.clock.nowSeconds(), proofGeneration(user)];
    const body = [id, ...numbers.map((number) => number.toString(36))].join('.');
    const tag = this.tagOf(body, user.username).toString('base64url');
    return `${this.name}=${body}.${tag}; ${this.attributes}`;
  }

  /**
   * @param header the request's `Cookie` header
   * @returns the device, if somebody has logged in there under this name within the life of the cookie
   */
  recognize(header: string | undefined, username: string): RecognizedDevice | undefined {
    const [, id = '', issuedAt = '', generation = '', tag = ''] =
      this.pattern.exec(header ?? '') ?? [];
    const age = this.clock.nowSeconds() - Number.parseInt(issuedAt, 36);
    if (!(age < LIFE_SECONDS)) {
      return undefined;
    }
    const expected = this.tagOf(`${id}.${issuedAt}.${generation}`, username);
    const given = Buffer.from(tag, 'base64url');
    return given.length === expected.length && timingSafeEqual(given, expected)
      ? { id, generation: Number.parseInt(generation, 36) }
      : undefined;
  }

  private tagOf(body: string, username: string): Buffer {
    // The body has a fixed alphabet without NUL, so no name can pass for a part of it.
    return createHmac('sha256', this.key)
      .update(`${body}\0${canonicalUsername(username)}`)
      .digest();
  }
}
