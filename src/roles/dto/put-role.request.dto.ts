import { ApiProperty } from '@nestjs/swagger';

import { MatchesRule } from '../../common/validation/index.js';
import { permissionList, PERMISSION_PATTERN } from '../role-rules.js';
import { MAX_PERMISSIONS_PER_ROLE, PERMISSION_MAX_LENGTH } from '../write/index.js';

export class PutRoleRequest {
  @ApiProperty({
    description:
      'All permissions that the role grants: those of Keyslot, and any that your services require.',
    type: 'array',
    items: { type: 'string', pattern: PERMISSION_PATTERN, maxLength: PERMISSION_MAX_LENGTH },
    maxItems: MAX_PERMISSIONS_PER_ROLE,
    example: ['orders:read', 'orders:write'],
  })
  @MatchesRule('permissions', permissionList)
  permissions!: string[];
}
