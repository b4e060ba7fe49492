import { Body, Controller, Delete, Get, HttpCode, Param, Patch } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import { AuditLog } from '../audit/index.js';
import {
  CurrentUser,
  PERMISSION_PROBLEMS,
  RequirePermissions,
  type Principal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import {
  ApiProblems,
  BODY_PROBLEMS,
  Problem,
  refuseInvalidMembers,
  STRAY_BODY_PROBLEMS,
} from '../common/problem/index.js';
import { EntityIdPipe, listOf } from '../common/validation/index.js';
import { AdministeredUserResponse } from './dto/administered-user.response.dto.js';
import { AdministerUserRequest } from './dto/administer-user.request.dto.js';
import { ADMINISTRATOR, Roles } from './roles.js';
import { UsersService } from './users.service.js';

@ApiTags('Administration')
@ApiParam({ name: 'id', format: 'uuid', description: 'The user.' })
@Controller('api/users/:id')
export class UserAdministrationController {
  constructor(
    private readonly users: UsersService,
    private readonly roles: Roles,
    private readonly audit: AuditLog,
  ) {}

  @Get()
  @RequirePermissions('users:read')
  @ApiOperation({ operationId: 'getUser', summary: 'Read a user', description: 'Any user, by id.' })
  @ApiOkResponse({ type: AdministeredUserResponse, description: 'The user.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'not-found')
  async readUser(
    @Param('id', EntityIdPipe) userId: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<AdministeredUserResponse> {
    const user = await this.users.find(userId, deadline);
    if (user === undefined) {
      throw new Problem('not-found');
    }
    return AdministeredUserResponse.from(user);
  }

  @Patch()
  @RequirePermissions('users:write')
  @ApiOperation({
    operationId: 'updateUser',
    summary: 'Change a user',
    description:
      'Roles and `disabled` hold at once, for tokens that were issued before as well, on every instance.',
  })
  @ApiOkResponse({ type: AdministeredUserResponse, description: 'The user after the change.' })
  @ApiProblems(...BODY_PROBLEMS, ...PERMISSION_PROBLEMS, 'not-found', 'own-access', 'not-confirmed')
  async changeUser(
    @CurrentUser() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @Body() body: AdministerUserRequest,
    @RequestDeadline() deadline: Deadline,
  ): Promise<AdministeredUserResponse> {
    const { roles, disabled } = body;
    refuseInvalidMembers({ '/roles': roles && listOf(this.roles.names)(roles) });
    if (userId === principal.userId && (disabled || roles?.includes(ADMINISTRATOR) === false)) {
      throw new Problem('own-access');
    }
    const user = await this.users.change(userId, body, deadline);
    if (user === undefined) {
      throw new Problem('not-found');
    }
    if (roles !== undefined || disabled !== undefined) {
      const details = { roles, disabled };
      this.audit.record({ type: 'access-changed', userId, actorId: principal.userId, details });
    }
    return AdministeredUserResponse.from(user);
  }

  @Delete()
  @HttpCode(204)
  @RequirePermissions('users:write')
  @ApiOperation({
    operationId: 'deleteUser',
    summary: 'Delete a user',
    description: 'All sessions of the user end at once, and the name is free again.',
  })
  @ApiNoContentResponse({ description: 'The user is gone.' })
  @ApiProblems(
    ...STRAY_BODY_PROBLEMS,
    ...PERMISSION_PROBLEMS,
    'not-found',
    'own-access',
    'not-confirmed',
  )
  async deleteUser(
    @CurrentUser() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    if (userId === principal.userId) {
      throw new Problem('own-access');
    }
    if (!(await this.users.delete(userId, deadline))) {
      throw new Problem('not-found');
    }
    this.audit.record({ type: 'user-deleted', userId, actorId: principal.userId });
  }
}
