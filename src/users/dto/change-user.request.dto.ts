import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';

import { MatchesRule } from '../../common/validation/index.js';
import { DISPLAY_NAME_MAX_LENGTH, PROFILE_RULES } from '../profile-rules.js';

/** Omitted members stay unchanged; null clears a member. */
export class ChangeUserRequest {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: 'ada@example.org',
    format: 'email',
    maxLength: 254,
  })
  @IsOptional()
  @MatchesRule('email', PROFILE_RULES.email)
  email?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: 'Countess of Lovelace',
    maxLength: DISPLAY_NAME_MAX_LENGTH,
  })
  @IsOptional()
  @MatchesRule('displayName', PROFILE_RULES.displayName)
  displayName?: string | null;
}
