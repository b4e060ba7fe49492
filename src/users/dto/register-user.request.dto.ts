import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  emailAddress,
  isText,
  MatchesRule,
  OptionalNotNull,
  textBetween,
} from '../../common/validation/index.js';
import { PASSWORD_MAX_LENGTH } from '../../credentials/index.js';
import { USERNAME_MAX_LENGTH } from '../names/username.js';

export const DISPLAY_NAME_MAX_LENGTH = 100;

export class RegisterUserRequest {
  @ApiProperty({
    description:
      'Unique, whatever the case, also among names that look like it. Letters and digits of one script, and `. _ - @ +`.',
    example: 'ada',
    minLength: 1,
    maxLength: USERNAME_MAX_LENGTH,
  })
  @MatchesRule('username', isText)
  username!: string;

  @ApiProperty({
    description:
      'At least 15 characters, if the operator has not set another minimum. Any characters, no rules of composition; ' +
      'but not a password that is easy to guess.',
    example: 'engine weaves algebra',
    format: 'password',
    maxLength: PASSWORD_MAX_LENGTH,
  })
  @MatchesRule('password', isText)
  password!: string;

  @ApiPropertyOptional({ example: 'ada@example.com', format: 'email', maxLength: 254 })
  @OptionalNotNull()
  @MatchesRule('email', emailAddress)
  email?: string;

  @ApiPropertyOptional({ example: 'Ada Lovelace', maxLength: DISPLAY_NAME_MAX_LENGTH })
  @OptionalNotNull()
  @MatchesRule('displayName', textBetween(1, DISPLAY_NAME_MAX_LENGTH))
  displayName?: string;
}
