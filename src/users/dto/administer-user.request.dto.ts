import { ApiPropertyOptional } from '@nestjs/swagger';

import { IfSent, isBoolean, listOf, Obeys } from '../../common/validation/index.js';
import { ROLES, type Role } from '../roles.js';
import { ChangeUserRequest } from './change-user.request.dto.js';

/** Members that are left out stay as they are. */
export class AdministerUserRequest extends ChangeUserRequest {
  @ApiPropertyOptional({
    description: 'All roles that the user is to have.',
    enum: ROLES,
    isArray: true,
    example: ['admin'],
  })
  @IfSent()
  @Obeys('roles', listOf(ROLES))
  roles?: Role[];

  @ApiPropertyOptional({
    description: 'A disabled user cannot log in. All sessions of the user end, for good.',
    example: false,
  })
  @IfSent()
  @Obeys('disabled', isBoolean)
  disabled?: boolean;
}
