import { ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { ChangeUserRequest } from './change-user.request.dto.js';

/** Omitted members stay unchanged; null clears a member. */
export class ChangeOwnUserRequest extends ChangeUserRequest {
  @ApiPropertyOptional({
    description:
      'Required for a new e-mail address if the login of this session is more than ten minutes old. Ignored otherwise.',
    example: 'engine weaves algebra',
    format: 'password',
  })
  @OptionalNotNull()
  @MatchesRule('currentPassword', isText)
  currentPassword?: string;
}
