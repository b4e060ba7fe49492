import { Inject, Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { Secret } from '../../common/secret/index.js';
import type { RuleFailure } from '../../common/validation/index.js';
import { FactorWriter } from '../../user-slot/write/index.js';
import { HashingQueue, type Turn } from './hashing-queue.js';
import { checkPassword, type PasswordContext } from './password-policy.js';
import {
  MIN_LENGTH_WITH_SECOND_FACTOR,
  PASSWORD_DEFAULTS,
  PASSWORD_OPTIONS,
  type PasswordOptions,
} from './password.options.js';

/** A new password that meets the policy. */
export interface AcceptedPassword {
  readonly isAccepted: true;

  /** @throws HashingOverloadedError */
  hash(deadline: Deadline, turn: Turn): Promise<Secret>;
}

export interface RefusedPassword {
  readonly isAccepted: false;
  /** Why the policy refuses it. */
  readonly failure: RuleFailure;
}

/**
 * Hashes new passwords. `accept` applies the password policy, and only its result can be hashed. No service can therefore
 * store a password that the policy refuses.
 */
@Injectable()
export class NewPasswords {
  private readonly minLength: number;

  constructor(
    private readonly queue: HashingQueue,
    private readonly factors: FactorWriter,
    @Inject(PASSWORD_OPTIONS) { passwordMinLength }: PasswordOptions,
  ) {
    this.minLength = passwordMinLength ?? PASSWORD_DEFAULTS.passwordMinLength;
  }

  /** Applies the password policy, with the configured minimum length. */
  accept(password: Secret, context: PasswordContext): AcceptedPassword | RefusedPassword {
    return this.check(password, this.minLength, context);
  }

  /**
   * Does the same for a user who exists. With a second factor, the minimum length is 8. It reads the factors only if they matter.
   *
   * @throws RedisUnavailableError
   */
  async acceptOf(
    userId: string,
    password: Secret,
    context: PasswordContext,
    deadline: Deadline,
  ): Promise<AcceptedPassword | RefusedPassword> {
    const alone = this.accept(password, context);
    if (alone.isAccepted || alone.failure.code !== 'too-short') {
      return alone;
    }
    const withFactor = this.check(password, MIN_LENGTH_WITH_SECOND_FACTOR, context);
    if (!withFactor.isAccepted && withFactor.failure.code === 'too-short') {
      return alone;
    }
    const { factors } = await this.factors.find(userId, deadline);
    return factors.some(({ isConfirmed }) => isConfirmed) ? withFactor : alone;
  }

  private check(
    password: Secret,
    minLength: number,
    context: PasswordContext,
  ): AcceptedPassword | RefusedPassword {
    const failure = checkPassword(password.reveal(), minLength, context);
    if (failure) {
      return { isAccepted: false, failure };
    }
    return {
      isAccepted: true,
      hash: async (deadline, turn) => new Secret(await this.queue.hash(password, deadline, turn)),
    };
  }
}
