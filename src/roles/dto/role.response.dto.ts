import { ApiProperty } from '@nestjs/swagger';

import type { Role, RoleSource } from '../../common/authentication/index.js';

const SOURCES: readonly RoleSource[] = ['built-in', 'code', 'stored'];

export class RoleResponse {
  @ApiProperty({ example: 'order-clerk' })
  name!: string;

  @ApiProperty({
    description:
      'The permissions that the role grants. `admin` grants every permission; its list has those that are known.',
    type: [String],
    example: ['orders:read', 'orders:write'],
  })
  permissions!: readonly string[];

  @ApiProperty({
    description:
      'Whether users with the role need a second factor. Without one, they can only add one.',
    example: false,
  })
  requireSecondFactor!: boolean;

  @ApiProperty({
    description:
      '`built-in`: `admin`, whose permissions cannot be changed. `code`: a default of the application. `stored`: stored in the cluster, ' +
      'for all applications; it can be deleted.',
    enum: SOURCES,
    example: 'stored',
  })
  source!: RoleSource;

  static from({ name, permissions, requireSecondFactor, source }: Role): RoleResponse {
    return { name, permissions, requireSecondFactor, source };
  }
}

export class RolesResponse {
  @ApiProperty({ type: [RoleResponse] })
  items!: RoleResponse[];
}
