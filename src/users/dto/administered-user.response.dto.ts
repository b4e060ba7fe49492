import { ApiProperty } from '@nestjs/swagger';

import type { UserRecord } from '../user.js';
import { UserResponse } from './user.response.dto.js';

/** A user as administrators see it. */
export class AdministeredUserResponse extends UserResponse {
  @ApiProperty({ example: false })
  disabled!: boolean;

  static override from(user: UserRecord): AdministeredUserResponse {
    return { ...UserResponse.from(user), disabled: user.isDisabled };
  }
}
