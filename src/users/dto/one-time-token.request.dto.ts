import { ApiProperty } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';

export class OneTimeTokenRequest {
  @ApiProperty({
    description: 'The token in the link of the mail.',
    example: '5f0c6a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1.kFv0…',
  })
  @MatchesRule('token', isText)
  token!: string;
}
