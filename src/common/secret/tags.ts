import { createHmac, timingSafeEqual } from 'node:crypto';

import { deriveKey } from './sealed-text.js';
import type { Secret } from './secret.js';
import type { SecretPurpose } from './secret-purposes.js';

/** Tags of 128 bits, which show that Keyslot issued a text: forged ones are recognized without Redis. */
export class Tags {
  static readonly BYTES = 16;
  private readonly key: Uint8Array;

  constructor(secret: Secret, purpose: SecretPurpose) {
    this.key = deriveKey(secret, purpose);
  }

  of(body: string | Uint8Array): Buffer {
    return createHmac('sha256', this.key).update(body).digest().subarray(0, Tags.BYTES);
  }

  isOf(tag: Uint8Array, body: string | Uint8Array): boolean {
    return tag.length === Tags.BYTES && timingSafeEqual(tag, this.of(body));
  }
}
