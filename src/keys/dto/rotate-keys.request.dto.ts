import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  entityId,
  isBoolean,
  MatchesRule,
  OptionalNotNull,
} from '../../common/validation/index.js';

export class RotateKeysRequest {
  @ApiProperty({
    format: 'uuid',
    description: 'The key that signs, as you have read it. If another key signs, nothing changes.',
    example: '0f8e1d5c-6c3e-4a57-9a3f-0f4e8a8d7f11',
  })
  @MatchesRule('replaces', entityId)
  replaces!: string;

  @ApiPropertyOptional({
    description:
      'Whether the new key signs at once, for emergencies. Services that verify tokens by the published keys themselves may ' +
      'refuse new tokens until they fetch the keys again. Default: it signs 15 minutes later.',
    example: false,
  })
  @OptionalNotNull()
  @MatchesRule('now', isBoolean)
  now?: boolean;
}
