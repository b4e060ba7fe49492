import argon2, { type Options } from 'argon2';

import type { Secret } from '../../common/secret/index.js';
import type { PasswordHasher } from './password-hasher.js';
import { HASHING_DEFAULTS, type HashingOptions } from './password.options.js';

const ARGON2_HASH = /^\$argon2(?:id|i|d)\$v=\d+\$m=(\d+),t=(\d+),p=\d+\$/;

/** Argon2id, as the OWASP Password Storage Cheat Sheet recommends. It runs in Node's thread pool. */
export class Argon2PasswordHasher implements PasswordHasher {
  private readonly options: HashingOptions;

  /**
   * @param options This class uses `memoryKib` and `passes`. `HashingQueue` uses `concurrency` and `maxWaiting`. Default:
   * the parameters that OWASP recommends
   */
  constructor(options: Partial<HashingOptions> = {}) {
    this.options = { ...HASHING_DEFAULTS, ...options };
  }

  async hash(password: Secret): Promise<string> {
    return argon2.hash(password.reveal(), this.parameters);
  }

  async verify(hash: string, password: Secret): Promise<boolean> {
    return ARGON2_HASH.test(hash) && argon2.verify(hash, password.reveal());
  }

  isOutdated(hash: string): boolean {
    const { memoryKib, passes } = this.options;
    const [, memory, time] = ARGON2_HASH.exec(hash) ?? [];
    return !(Number(memory) >= memoryKib && Number(time) >= passes);
  }

  private get parameters(): Options {
    return {
      type: argon2.argon2id,
      memoryCost: this.options.memoryKib,
      timeCost: this.options.passes,
      parallelism: 1,
    };
  }
}
