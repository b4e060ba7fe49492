import { ApiProperty } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';

export class RefreshRequestBody {
  @ApiProperty({
    description: 'The one that came with the newest answer.',
    example: 'the refresh_token of the last answer',
  })
  @MatchesRule('refresh_token', isText)
  refresh_token!: string;
}
