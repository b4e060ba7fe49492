import { ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { ChangeUserRequest } from './change-user.request.dto.js';

/** Members that are left out stay as they are; null clears. */
export class ChangeOwnUserRequest extends ChangeUserRequest {
  @ApiPropertyOptional({
    description:
      'For a new e-mail address, when the login of this session is more than ten minutes ago. Not looked at otherwise.',
    example: 'engine weaves algebra',
    format: 'password',
  })
  @OptionalNotNull()
  @MatchesRule('currentPassword', isText)
  currentPassword?: string;
}
