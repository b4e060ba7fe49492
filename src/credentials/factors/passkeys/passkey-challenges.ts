import { randomBytes } from 'node:crypto';

import { CLOCK_SKEW_SECONDS } from '../../../common/clock/index.js';
import { SECRET_PURPOSES, Tags, type Secret } from '../../../common/secret/index.js';
import { CEREMONY_MS } from './passkey.factor.js';

const TIME_BYTES = 6;
const RANDOM_BYTES = 26;
const LENGTH = TIME_BYTES + RANDOM_BYTES + Tags.BYTES;

/**
 * The challenges of logins in which the authenticator names the user: time, random bytes and a tag. Nothing is stored until the
 * passkey is used, so asking for challenges costs no memory. The passkey then remembers the challenge until it ends.
 */
export class PasskeyChallenges {
  private readonly tags: Tags;

  constructor(secret: Secret) {
    this.tags = new Tags(secret, SECRET_PURPOSES.passkeyChallenges);
  }

  /** @returns base64url */
  issue(nowMs: number): string {
    const body = Buffer.concat([Buffer.alloc(TIME_BYTES), randomBytes(RANDOM_BYTES)]);
    body.writeUIntBE(nowMs, 0, TIME_BYTES);
    return Buffer.concat([body, this.tags.of(body)]).toString('base64url');
  }

  /** Whether Keyslot issued the challenge, and it has not ended. */
  isCurrent(challenge: string, nowMs: number): boolean {
    const bytes = Buffer.from(challenge, 'base64url');
    if (bytes.length !== LENGTH || bytes.toString('base64url') !== challenge) {
      return false;
    }
    const body = bytes.subarray(0, -Tags.BYTES);
    const isOurs = this.tags.isOf(bytes.subarray(-Tags.BYTES), body);
    const age = nowMs - body.readUIntBE(0, TIME_BYTES);
    return isOurs && age >= -CLOCK_SKEW_SECONDS * 1000 && age <= CEREMONY_MS;
  }
}
