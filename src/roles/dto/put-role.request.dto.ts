import { ApiProperty } from '@nestjs/swagger';

import {
  MAX_PERMISSIONS,
  PERMISSION_MAX_LENGTH,
  PERMISSION_PATTERN,
  permissionList,
} from '../../common/authentication/index.js';
import { MatchesRule } from '../../common/validation/index.js';

export class PutRoleRequest {
  @ApiProperty({
    description:
      'All permissions that the role grants: those of Keyslot, and any that your services require.',
    type: 'array',
    items: { type: 'string', pattern: PERMISSION_PATTERN, maxLength: PERMISSION_MAX_LENGTH },
    maxItems: MAX_PERMISSIONS,
    example: ['orders:read', 'orders:write'],
  })
  @MatchesRule('permissions', permissionList)
  permissions!: string[];
}
