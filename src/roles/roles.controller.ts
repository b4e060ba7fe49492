import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import {
  CurrentPrincipal,
  PERMISSION_PROBLEMS,
  RequirePermissions,
  type Principal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { BODY_PROBLEMS, Problem, STRAY_BODY_PROBLEMS } from '../common/problem/index.js';
import { PutRoleRequest } from './dto/put-role.request.dto.js';
import { RoleResponse, RolesResponse } from './dto/role.response.dto.js';
import { RoleReader } from './read/index.js';
import { RoleAdministration } from './role-administration.js';
import { ROLE_NAME_PATTERN } from './role-rules.js';
import { roleProblem } from './roles.problems.js';
import { ROLE_NAME_MAX_LENGTH } from './write/index.js';

const NAME = {
  name: 'name',
  description: 'The name of the role.',
  schema: {
    type: 'string',
    pattern: ROLE_NAME_PATTERN,
    maxLength: ROLE_NAME_MAX_LENGTH,
    example: 'order-clerk',
  },
} as const;

@ApiTags('Administration')
@Controller('api/roles')
export class RolesController {
  constructor(
    private readonly roles: RoleReader,
    private readonly administration: RoleAdministration,
  ) {}

  @Get()
  @RequirePermissions('roles:read')
  @ApiOperation({
    operationId: 'listRoles',
    summary: 'List the roles',
    description: 'All roles that users can have, sorted by name.',
  })
  @ApiOkResponse({ type: RolesResponse, description: 'The roles.' })
  @ApiProblems(...PERMISSION_PROBLEMS)
  async listRoles(@RequestDeadline() deadline: Deadline): Promise<RolesResponse> {
    const { list } = await this.roles.current(deadline);
    return { items: list.map((role) => RoleResponse.from(role)) };
  }

  @Get(':name')
  @RequirePermissions('roles:read')
  @ApiParam(NAME)
  @ApiOperation({
    operationId: 'getRole',
    summary: 'Read a role',
    description: 'Any role, by name.',
  })
  @ApiOkResponse({ type: RoleResponse, description: 'The role.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'not-found')
  async readRole(
    @Param('name') name: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<RoleResponse> {
    const role = (await this.roles.current(deadline)).find(name);
    if (role === undefined) {
      throw new Problem('not-found');
    }
    return RoleResponse.from(role);
  }

  @Put(':name')
  @HttpCode(204)
  @RequirePermissions('roles:write')
  @ApiParam(NAME)
  @ApiOperation({
    operationId: 'putRole',
    summary: 'Create or replace a role',
    description:
      'Takes effect at once on every instance and in every service with the guard, also for existing tokens. You can only ' +
      'create and change roles within your own permissions. A role of the application with this name is replaced. With ' +
      '`requireSecondFactor`, a user with the role and without a second factor can only add one. For `admin`, send this member ' +
      'alone: its permissions cannot be changed.',
  })
  @ApiNoContentResponse({ description: 'The role was stored.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...PERMISSION_PROBLEMS,
    'beyond-own-permissions',
    'built-in-role',
    'too-many-roles',
    'not-confirmed',
  )
  async putRole(
    @CurrentPrincipal() principal: Principal,
    @Param('name') name: string,
    @Body() change: PutRoleRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.administration.put(principal, name, change, origin, deadline);
    if (result.outcome !== 'changed') {
      throw roleProblem(result);
    }
  }

  @Delete(':name')
  @HttpCode(204)
  @RequirePermissions('roles:write')
  @ApiParam(NAME)
  @ApiOperation({
    operationId: 'deleteRole',
    summary: 'Delete a stored role',
    description:
      'Takes effect at once, as a change does. Users keep the name of the role; it grants nothing. If the application ' +
      'defines a role with this name, that role applies again. You can only delete roles within your own permissions.',
  })
  @ApiNoContentResponse({ description: 'The role was deleted.' })
  @ApiProblems(
    ...STRAY_BODY_PROBLEMS,
    ...PERMISSION_PROBLEMS,
    'beyond-own-permissions',
    'built-in-role',
    'not-found',
    'not-confirmed',
  )
  async deleteRole(
    @CurrentPrincipal() principal: Principal,
    @Param('name') name: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.administration.delete(principal, name, origin, deadline);
    if (result.outcome !== 'deleted') {
      throw roleProblem(result);
    }
  }
}
