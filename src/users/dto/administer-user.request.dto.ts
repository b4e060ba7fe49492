import { ApiPropertyOptional } from '@nestjs/swagger';
import { ValidateIf } from 'class-validator';

import { isBoolean, listOf, Obeys } from '../../common/validation/index.js';
import { ROLES, type Role } from '../roles.js';
import { ChangeUserRequest } from './change-user.request.dto.js';

const isThere = (_: unknown, value: unknown): boolean => value !== undefined;

/** Members that are left out stay as they are. */
export class AdministerUserRequest extends ChangeUserRequest {
  @ApiPropertyOptional({
    description: 'All roles that the user is to have.',
    enum: ROLES,
    isArray: true,
    example: ['admin'],
  })
  @ValidateIf(isThere)
  @Obeys('roles', listOf(ROLES))
  roles?: Role[];

  @ApiPropertyOptional({
    description: 'A disabled user cannot log in. All sessions of the user end, for good.',
    example: false,
  })
  @ValidateIf(isThere)
  @Obeys('disabled', isBoolean)
  disabled?: boolean;
}
