import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';

import { emailAddress, MatchesRule, textBetween } from '../../common/validation/index.js';
import { DISPLAY_NAME_MAX_LENGTH } from './register-user.request.dto.js';

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
  @MatchesRule('email', emailAddress)
  email?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: 'Countess of Lovelace',
    maxLength: DISPLAY_NAME_MAX_LENGTH,
  })
  @IsOptional()
  @MatchesRule('displayName', textBetween(1, DISPLAY_NAME_MAX_LENGTH))
  displayName?: string | null;
}
