import { ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';

export class LogoutRequestBody {
  @ApiPropertyOptional({
    description: 'Of the session that is to end. Without it, the access token tells which one.',
  })
  @OptionalNotNull()
  @MatchesRule('refresh_token', isText)
  refresh_token?: string;
}
