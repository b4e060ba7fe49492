import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { PASSWORD_MAX_LENGTH } from '../../credentials/index.js';
import { USERNAME_MAX_LENGTH } from '../names/username.js';
import { DISPLAY_NAME_MAX_LENGTH, PROFILE_RULES } from '../profile-rules.js';

export class RegisterUserRequest {
  @ApiProperty({
    description:
      'Unique. Names that differ only in case, or that look alike, count as equal. Letters and digits of one script (or of ' +
      'scripts that are written together), and `. _ - @ +`.',
    example: 'ada',
    minLength: 1,
    maxLength: USERNAME_MAX_LENGTH,
  })
  @MatchesRule('username', isText)
  username!: string;

  @ApiPropertyOptional({
    description:
      'Required, except with the permission `users:write`. At least 15 characters, unless the operator has set another minimum. All except control characters are allowed, and ' +
      'none is required. ' +
      'Passwords that are easy to guess are refused.',
    example: 'engine weaves algebra',
    format: 'password',
    maxLength: PASSWORD_MAX_LENGTH,
  })
  @OptionalNotNull()
  @MatchesRule('password', isText)
  password?: string;

  @ApiPropertyOptional({ example: 'ada@example.com', format: 'email', maxLength: 254 })
  @OptionalNotNull()
  @MatchesRule('email', PROFILE_RULES.email)
  email?: string;

  @ApiPropertyOptional({ example: 'Ada Lovelace', maxLength: DISPLAY_NAME_MAX_LENGTH })
  @OptionalNotNull()
  @MatchesRule('displayName', PROFILE_RULES.displayName)
  displayName?: string;
}
