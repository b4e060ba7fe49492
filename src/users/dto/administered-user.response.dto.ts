import { ApiProperty } from '@nestjs/swagger';

import type { ListedUser } from '../directory/user-directory.js';
import { UserResponse } from './user.response.dto.js';

/** A user as administrators see it. */
export class AdministeredUserResponse extends UserResponse {
  @ApiProperty({ example: false })
  disabled!: boolean;

  static override from(user: ListedUser): AdministeredUserResponse {
    return { ...UserResponse.from(user), disabled: user.isDisabled };
  }
}
