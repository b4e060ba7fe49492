import { ApiPropertyOptional } from '@nestjs/swagger';

import { isBoolean, isList, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { ChangeUserRequest } from './change-user.request.dto.js';

/** Members that are left out stay as they are. */
export class AdministerUserRequest extends ChangeUserRequest {
  @ApiPropertyOptional({
    description: 'All roles that the user is to have.',
    type: [String],
    example: ['admin'],
  })
  @OptionalNotNull()
  @MatchesRule('roles', isList)
  roles?: string[];

  @ApiPropertyOptional({
    description: 'A disabled user cannot log in. All sessions of the user end, for good.',
    example: false,
  })
  @OptionalNotNull()
  @MatchesRule('disabled', isBoolean)
  disabled?: boolean;
}
