import { ApiProperty } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';

export class LoginRequestBody {
  @ApiProperty({ example: 'ada' })
  @MatchesRule('username', isText)
  username!: string;

  @ApiProperty({ example: 'engine weaves algebra', format: 'password' })
  @MatchesRule('password', isText)
  password!: string;
}
