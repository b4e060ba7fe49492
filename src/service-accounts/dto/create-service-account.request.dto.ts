import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  MAX_PERMISSIONS,
  PERMISSION_MAX_LENGTH,
  PERMISSION_PATTERN,
  permissionList,
} from '../../common/authentication/index.js';
import { MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { accountName, AUDIENCE_PATTERN, audienceList } from '../account-rules.js';
import {
  AUDIENCE_MAX_LENGTH,
  MAX_AUDIENCES,
  NAME_MAX_LENGTH,
  publicKeySet,
  type ClientKeySet,
} from '../write/index.js';
import { PublicKeySetBody } from './public-key-set.dto.js';

export class CreateServiceAccountRequest {
  @ApiProperty({
    description: 'Unique, without regard to case.',
    minLength: 1,
    maxLength: NAME_MAX_LENGTH,
    example: 'order reports',
  })
  @MatchesRule('name', accountName)
  name!: string;

  @ApiPropertyOptional({
    description:
      'The permissions of the account: those of Keyslot, and any that your services require. Only permissions that you have. ' +
      'Default: none.',
    type: 'array',
    items: { type: 'string', pattern: PERMISSION_PATTERN, maxLength: PERMISSION_MAX_LENGTH },
    maxItems: MAX_PERMISSIONS,
    example: ['orders:read'],
  })
  @OptionalNotNull()
  @MatchesRule('permissions', permissionList)
  permissions?: string[];

  @ApiPropertyOptional({
    description:
      'The audiences for which the account may get tokens. The first one is the default. Default: the audience of Keyslot.',
    type: 'array',
    items: { type: 'string', pattern: AUDIENCE_PATTERN, maxLength: AUDIENCE_MAX_LENGTH },
    minItems: 1,
    maxItems: MAX_AUDIENCES,
    example: ['keyslot', 'orders'],
  })
  @OptionalNotNull()
  @MatchesRule('audiences', audienceList)
  audiences?: string[];

  @ApiPropertyOptional({
    description:
      'Public keys with which the account authenticates (`private_key_jwt`), instead of a secret.',
    type: PublicKeySetBody,
    example: { keys: [] },
  })
  @OptionalNotNull()
  @MatchesRule('jwks', publicKeySet)
  jwks?: ClientKeySet;
}
