import { ApiPropertyOptional } from '@nestjs/swagger';

import type { User } from '../user.js';
import { UserResponse } from './user.response.dto.js';

export class ChangedOwnUserResponse extends UserResponse {
  @ApiPropertyOptional({
    description:
      'The new e-mail address, if it must be confirmed with the link in a mail before it replaces `email`.',
    example: 'ada@example.org',
    format: 'email',
  })
  pendingEmail?: string;

  static of(user: User, pendingEmail: string | undefined): ChangedOwnUserResponse {
    const response = UserResponse.from(user);
    return pendingEmail === undefined ? response : { ...response, pendingEmail };
  }
}
