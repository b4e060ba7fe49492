import { ApiProperty } from '@nestjs/swagger';

import { serializedOnce } from '../../common/http/index.js';
import type { User } from '../user.js';

/**
 * Many requests get the same user object from the near cache. A user object is never modified, so its response can be reused.
 */
const responses = new WeakMap<User, UserResponse>();

export class UserResponse {
  @ApiProperty({ format: 'uuid', example: '5f0c6a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1' })
  id!: string;

  @ApiProperty({ example: 'ada' })
  username!: string;

  @ApiProperty({ type: String, nullable: true, example: 'ada@example.com' })
  email!: string | null;

  @ApiProperty({
    example: false,
    description: 'Whether the user has confirmed the e-mail address, with a link in a mail.',
  })
  emailVerified!: boolean;

  @ApiProperty({ type: String, nullable: true, example: 'Ada Lovelace' })
  displayName!: string | null;

  @ApiProperty({ type: [String], example: [] })
  roles!: readonly string[];

  @ApiProperty({ format: 'date-time', example: '2026-11-23T09:30:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T09:30:00.000Z' })
  updatedAt!: string;

  static from(user: User): UserResponse {
    let response = responses.get(user);
    if (response === undefined) {
      response = render(user);
      responses.set(user, response);
    }
    return response;
  }
}

function render(user: User): UserResponse {
  return serializedOnce({
    id: user.id,
    username: user.username,
    email: user.email,
    emailVerified: user.email !== null && user.verifiedEmail === user.email,
    displayName: user.displayName,
    roles: Object.freeze([...user.roles]),
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
  });
}
