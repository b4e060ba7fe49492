import { ApiPropertyOptional } from '@nestjs/swagger';

import { IfSent, isBoolean, isList, Obeys } from '../../common/validation/index.js';
import { ChangeUserRequest } from './change-user.request.dto.js';

/** Members that are left out stay as they are. */
export class AdministerUserRequest extends ChangeUserRequest {
  @ApiPropertyOptional({
    description: 'All roles that the user is to have.',
    type: [String],
    example: ['admin'],
  })
  @IfSent()
  @Obeys('roles', isList)
  roles?: string[];

  @ApiPropertyOptional({
    description: 'A disabled user cannot log in. All sessions of the user end, for good.',
    example: false,
  })
  @IfSent()
  @Obeys('disabled', isBoolean)
  disabled?: boolean;
}
