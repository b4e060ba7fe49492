import { ApiProperty } from '@nestjs/swagger';

import { isText, Obeys } from '../../common/validation/index.js';

export class LoginRequestBody {
  @ApiProperty({ example: 'ada' })
  @Obeys('username', isText)
  username!: string;

  @ApiProperty({ example: 'engine weaves algebra', format: 'password' })
  @Obeys('password', isText)
  password!: string;
}
