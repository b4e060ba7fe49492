import { ApiPropertyOptional } from '@nestjs/swagger';

import {
  MAX_PERMISSIONS,
  PERMISSION_MAX_LENGTH,
  PERMISSION_PATTERN,
  permissionList,
} from '../../common/authentication/index.js';
import { isBoolean, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';

export class PutRoleRequest {
  @ApiPropertyOptional({
    description:
      'All permissions that the role grants: those of Keyslot, and any that your services require. Omit it only for `admin`.',
    type: 'array',
    items: { type: 'string', pattern: PERMISSION_PATTERN, maxLength: PERMISSION_MAX_LENGTH },
    maxItems: MAX_PERMISSIONS,
    example: ['orders:read', 'orders:write'],
  })
  @OptionalNotNull()
  @MatchesRule('permissions', permissionList)
  permissions?: string[];

  @ApiPropertyOptional({
    description:
      'Whether users with the role need a second factor. Omitted: as before, and no for a role that was not stored.',
  })
  @OptionalNotNull()
  @MatchesRule('requireSecondFactor', isBoolean)
  requireSecondFactor?: boolean;
}
