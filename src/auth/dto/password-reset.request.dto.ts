import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  emailAddress,
  isText,
  MatchesRule,
  OptionalNotNull,
  textBetween,
} from '../../common/validation/index.js';
import { PASSWORD_MAX_LENGTH } from '../../credentials/index.js';

/** Longer than any user name. */
const MAX_NAME_LENGTH = 254;

export class PasswordResetRequest {
  @ApiPropertyOptional({ example: 'ada', description: 'Send either this member or `email`.' })
  @OptionalNotNull()
  @MatchesRule('username', textBetween(1, MAX_NAME_LENGTH))
  username?: string;

  @ApiPropertyOptional({
    example: 'ada@example.com',
    format: 'email',
    maxLength: 254,
    description: 'Only users who have confirmed this address get a mail.',
  })
  @OptionalNotNull()
  @MatchesRule('email', emailAddress)
  email?: string;
}

export class PasswordResetConfirmation {
  @ApiProperty({
    description: 'The token in the link of the mail.',
    example: '5f0c6a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1.kFv0…',
  })
  @MatchesRule('token', isText)
  token!: string;

  @ApiProperty({
    description: 'The new password. The same rules as for a registration apply.',
    example: 'algebra weaves another engine',
    format: 'password',
    maxLength: PASSWORD_MAX_LENGTH,
  })
  @MatchesRule('newPassword', isText)
  newPassword!: string;
}
