import { ApiProperty } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';

export class DeleteUserRequest {
  @ApiProperty({
    description: 'The current password.',
    example: 'engine weaves algebra',
    format: 'password',
  })
  @MatchesRule('password', isText)
  password!: string;
}
