import { ApiProperty } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';
import { PASSWORD_MAX_LENGTH } from '../../credentials/index.js';

export class ChangePasswordRequest {
  @ApiProperty({ example: 'engine weaves algebra', format: 'password' })
  @MatchesRule('currentPassword', isText)
  currentPassword!: string;

  @ApiProperty({
    description: 'The new password. The same rules as for a registration apply.',
    example: 'algebra weaves another engine',
    format: 'password',
    maxLength: PASSWORD_MAX_LENGTH,
  })
  @MatchesRule('newPassword', isText)
  newPassword!: string;
}
