import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../common/api-problems/index.js';
import {
  ADMINISTRATOR,
  CurrentUser,
  USER_PROBLEMS,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RoleReader } from './read/index.js';

class OwnPermissionsResponse {
  @ApiProperty({ type: [String], example: ['users:read'] })
  permissions!: readonly string[];
}

@ApiTags('Own user')
@Controller('api/user/permissions')
export class OwnPermissionsController {
  constructor(private readonly roles: RoleReader) {}

  @Get()
  @ApiOperation({
    operationId: 'listOwnPermissions',
    summary: 'List your permissions',
    description: 'What your roles allow now, within the scope of the token. Sorted.',
  })
  @ApiOkResponse({ type: OwnPermissionsResponse, description: 'The permissions.' })
  @ApiProblems(...USER_PROBLEMS)
  async listOwnPermissions(
    @CurrentUser() principal: UserPrincipal,
    @RequestDeadline() deadline: Deadline,
  ): Promise<OwnPermissionsResponse> {
    const roles = await this.roles.current(deadline);
    const permissions = roles.allowedTo(principal) ?? roles.find(ADMINISTRATOR)?.permissions ?? [];
    return { permissions: permissions.toSorted() };
  }
}
