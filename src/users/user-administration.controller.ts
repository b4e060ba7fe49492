import { Body, Controller, Delete, Get, HttpCode, Param, Patch } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import {
  CurrentUser,
  PERMISSION_PROBLEMS,
  RequirePermissions,
  type Principal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
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
  ) {}

  @Get()
  @RequirePermissions('users:read')
  @ApiOperation({ summary: 'Read a user', description: 'Any user, by id.' })
  @ApiOkResponse({ type: AdministeredUserResponse, description: 'The user.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'not-found')
  async readUser(
    @Param('id', EntityIdPipe) userId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<AdministeredUserResponse> {
    const user = await this.users.read(userId, origin, deadline);
    if (user === undefined) {
      throw new Problem('not-found');
    }
    return AdministeredUserResponse.from(user);
  }

  @Patch()
  @RequirePermissions('users:write')
  @ApiOperation({
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
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<AdministeredUserResponse> {
    const { roles, disabled } = body;
    refuseInvalidMembers({ '/roles': roles && listOf(this.roles.names)(roles) });
    if (userId === principal.userId && (disabled || roles?.includes(ADMINISTRATOR) === false)) {
      this.users.recordRefusal(userId, 'own-access', origin);
      throw new Problem('own-access');
    }
    const user = await this.users.change(userId, body, origin, deadline);
    if (user === undefined) {
      throw new Problem('not-found');
    }
    return AdministeredUserResponse.from(user);
  }

  @Delete()
  @HttpCode(204)
  @RequirePermissions('users:write')
  @ApiOperation({
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
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    if (userId === principal.userId) {
      this.users.recordRefusal(userId, 'own-access', origin);
      throw new Problem('own-access');
    }
    if (!(await this.users.delete(userId, origin, deadline))) {
      throw new Problem('not-found');
    }
  }
}
