import { ApiPropertyOptional } from '@nestjs/swagger';

import { IfSent, isText, Obeys } from '../../common/validation/index.js';

export class LogoutRequestBody {
  @ApiPropertyOptional({
    description: 'Of the session that is to end. Without it, the access token tells which one.',
  })
  @IfSent()
  @Obeys('refresh_token', isText)
  refresh_token?: string;
}
