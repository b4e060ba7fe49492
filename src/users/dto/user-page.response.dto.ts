import { ApiProperty } from '@nestjs/swagger';

import type { UserPage } from '../directory/user-directory.js';
import { AdministeredUserResponse } from './administered-user.response.dto.js';

export class UserPageResponse {
  @ApiProperty({ type: [AdministeredUserResponse] })
  items!: AdministeredUserResponse[];

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'Send it as `cursor` for the next page. Null: there are no more users.',
  })
  nextCursor!: string | null;

  static from({ users, next }: UserPage): UserPageResponse {
    return {
      items: users.map((user) => AdministeredUserResponse.from(user)),
      nextCursor: next ?? null,
    };
  }
}
