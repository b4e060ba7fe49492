import { ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';

export class LogoutRequestBody {
  @ApiPropertyOptional({
    description: 'A refresh token of the session to end. Default: the session of the access token.',
  })
  @OptionalNotNull()
  @MatchesRule('refresh_token', isText)
  refresh_token?: string;
}
