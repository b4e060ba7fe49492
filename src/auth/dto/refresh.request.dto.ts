import { ApiProperty } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';

export class RefreshRequestBody {
  @ApiProperty({
    description: 'The refresh token of the latest login or refresh.',
    example: 'the refresh_token of the last response',
  })
  @MatchesRule('refresh_token', isText)
  refresh_token!: string;
}
