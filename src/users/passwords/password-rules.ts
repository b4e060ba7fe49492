import { Inject, Injectable } from '@nestjs/common';

import type { Secret } from '../../common/secret/index.js';
import type { RuleFailure } from '../../common/validation/index.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from '../users.options.js';
import { checkPassword, type PasswordContext } from './password-policy.js';

/** The password policy with the minimum length of the settings. */
@Injectable()
export class PasswordRules {
  private readonly minLength: number;

  constructor(@Inject(USERS_OPTIONS) { passwordMinLength }: UsersOptions) {
    this.minLength = passwordMinLength ?? USERS_DEFAULTS.passwordMinLength;
  }

  /** @returns what is wrong with a new password; undefined: nothing */
  check(password: Secret, context: PasswordContext): RuleFailure | undefined {
    return checkPassword(password.reveal(), this.minLength, context);
  }
}
