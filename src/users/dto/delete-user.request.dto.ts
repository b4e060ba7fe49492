import { ApiProperty } from '@nestjs/swagger';

import { isText, Obeys } from '../../common/validation/index.js';

export class DeleteUserRequest {
  @ApiProperty({
    description: 'The current password.',
    example: 'engine weaves algebra',
    format: 'password',
  })
  @Obeys('password', isText)
  password!: string;
}
