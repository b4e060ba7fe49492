import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../common/clock/index.js';
import { deriveKey, SECRET_PURPOSES, type Secret } from '../common/secret/index.js';
import type { UserRecord } from '../user-slot/read/index.js';
import { proofGeneration } from './caller.js';
import type { CredentialAccounts } from './credential-accounts.js';

const LIFETIME_SECONDS = 90 * 24 * 3600;
const ID_BYTES = 16;
/** Marks the cookie of a reset. */
const BY_RESET = 'r';
const VALUE = `([\\w-]{22})((?:\\.${BY_RESET})?)\\.([0-9a-z]{1,9})\\.([0-9a-z]{1,11})\\.([\\w-]{43})`;

export interface DeviceCookieOptions {
  /** The HMAC key is derived from this secret. It must be the same on every instance. */
  readonly secret: Secret;
  /** Whether clients use HTTPS. */
  readonly isHttps: boolean;
}

/** The content of a valid cookie. */
export interface RecognizedDevice {
  readonly id: string;
  /** The cookie is a proof only while this equals `proofGeneration` of the user. */
  readonly generation: number;
  /** Whether the device has only reset the password. It has not proved a second factor. */
  readonly isByReset: boolean;
}

/**
 * The cookie of a device on which a user has logged in (OWASP "Slow Down Online Guessing Attacks with Device Cookies"):
 * `<device id>[.r].<issued at, seconds in base 36>.<generation, in base 36>.<HMAC-SHA256>`, with `r` after a reset of the password. The
 * cookie does not authenticate
 * anybody. It has these effects: wrong passwords from the device have their own counter, the limit per address does not
 * apply to the device, and its passwords use the reserved share of the hashing queue. The HMAC covers the user name, which
 * the cookie does not contain. Each login issues a new device id with its own counter. A later successful login therefore
 * does not reset the counter of an older, possibly stolen, cookie. A new password invalidates all cookies of the account,
 * because somebody may have copied one.
 *
 * Over HTTPS the cookie has the name prefix `__Host-` and the attribute `Secure`. Other hosts and plain HTTP connections
 * therefore cannot set or read it. It is also `HttpOnly`, so scripts cannot read it. Browsers refuse `Secure` cookies over
 * plain HTTP. Without TLS, as in development, the cookie therefore has neither the prefix nor the attribute.
 */
export class DeviceCookies {
  private readonly key: Uint8Array;
  private readonly name: string;
  private readonly attributes: string;
  private readonly pattern: RegExp;

  constructor(
    private readonly clock: Clock,
    private readonly accounts: Pick<CredentialAccounts, 'canonicalName'>,
    { secret, isHttps }: DeviceCookieOptions,
  ) {
    this.key = deriveKey(secret, SECRET_PURPOSES.deviceCookies);
    this.name = isHttps ? '__Host-keyslot-device' : 'keyslot-device';
    this.attributes =
      `Path=/; Max-Age=${LIFETIME_SECONDS}; HttpOnly; SameSite=Strict` +
      (isHttps ? '; Secure' : '');
    this.pattern = new RegExp(`(?:^|; *)${this.name}=${VALUE}(?:;|$)`);
  }

  /**
   * @param isByReset whether the user has not logged in on the device, but reset the password. Such a device is known when it presents
   * the password, and a stranger when it presents a second factor: who reads the mails of the user must not get new guesses
   * @returns the value of a `Set-Cookie` header, for a device on which the user has proved the password
   */
  issue(
    user: Pick<UserRecord, 'username' | 'createdAt' | 'passwordVersion'>,
    isByReset = false,
  ): string {
    const random = randomBytes(ID_BYTES).toString('base64url');
    const id = isByReset ? `${random}.${BY_RESET}` : random;
    const numbers = [this.clock.nowSeconds(), proofGeneration(user)];
    const body = [id, ...numbers.map((number) => number.toString(36))].join('.');
    const tag = this.tagOf(body, user.username).toString('base64url');
    return `${this.name}=${body}.${tag}; ${this.attributes}`;
  }

  /**
   * @param header the request's `Cookie` header
   * @returns the device, if the cookie has not expired and was issued to a login with this user name
   */
  recognize(header: string | undefined, username: string): RecognizedDevice | undefined {
    const [, id = '', mark = '', issuedAt = '', generation = '', tag = ''] =
      this.pattern.exec(header ?? '') ?? [];
    const ageSeconds = this.clock.nowSeconds() - Number.parseInt(issuedAt, 36);
    // Without a cookie the age is NaN, so this condition also covers that case.
    if (!(ageSeconds < LIFETIME_SECONDS)) {
      return undefined;
    }
    const expected = this.tagOf(`${id}${mark}.${issuedAt}.${generation}`, username);
    const given = Buffer.from(tag, 'base64url');
    return given.length === expected.length && timingSafeEqual(given, expected)
      ? { id, generation: Number.parseInt(generation, 36), isByReset: mark !== '' }
      : undefined;
  }

  private tagOf(body: string, username: string): Buffer {
    // The body has a fixed alphabet without NUL, so no name can be mistaken for a part of it.
    return createHmac('sha256', this.key)
      .update(`${body}\0${this.accounts.canonicalName(username)}`)
      .digest();
  }
}
