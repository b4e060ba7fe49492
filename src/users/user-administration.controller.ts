import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
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
import { EntityIdPipe } from '../common/validation/index.js';
import { AdministeredUserResponse } from './dto/administered-user.response.dto.js';
import { AdministerUserRequest } from './dto/administer-user.request.dto.js';
import { FactorsResponse } from './dto/factors.response.dto.js';
import { administrationProblem, ADMINISTRATION_PROBLEMS } from './user-administration.problems.js';
import { UserAdministration } from './user-administration.js';
import { UsersService } from './users.service.js';

@ApiTags('Administration')
@ApiParam({ name: 'id', format: 'uuid', description: 'The user.' })
@Controller('api/users/:id')
export class UserAdministrationController {
  constructor(
    private readonly users: UsersService,
    private readonly administration: UserAdministration,
  ) {}

  @Get()
  @RequirePermissions('users:read')
  @ApiOperation({ operationId: 'getUser', summary: 'Read a user', description: 'Any user, by id.' })
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
    operationId: 'updateUser',
    summary: 'Change a user',
    description:
      'Roles and `disabled` take effect at once on every instance, also for existing tokens. You can only ' +
      'grant and remove roles, and change users, within your own permissions. One enabled administrator always remains.',
  })
  @ApiOkResponse({ type: AdministeredUserResponse, description: 'The user after the change.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...ADMINISTRATION_PROBLEMS,
    'reauthentication-required',
    'unlimited-token-required',
  )
  async changeUser(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @Body() body: AdministerUserRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<AdministeredUserResponse> {
    const result = await this.administration.change(principal, userId, body, origin, deadline);
    if (result.outcome !== 'changed') {
      throw administrationProblem(result);
    }
    return AdministeredUserResponse.from(result.user);
  }

  @Delete()
  @HttpCode(204)
  @RequirePermissions('users:write')
  @ApiOperation({
    operationId: 'deleteUser',
    summary: 'Delete a user',
    description:
      'All sessions of the user end at once, and the name becomes free. You can only delete users within your own ' +
      'permissions, and not the last administrator.',
  })
  @ApiNoContentResponse({ description: 'The user was deleted.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...ADMINISTRATION_PROBLEMS)
  async deleteUser(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.administration.delete(principal, userId, origin, deadline);
    if (result.outcome !== 'deleted') {
      throw administrationProblem(result);
    }
  }

  @Get('factors')
  @RequirePermissions('users:read')
  @ApiOperation({
    operationId: 'listUserFactors',
    summary: 'List the second factors of a user',
    description:
      'Lists the confirmed factors, the oldest first. Your own factors require a login or a reauthentication within the last ten ' +
      'minutes.',
  })
  @ApiOkResponse({ type: FactorsResponse, description: 'The factors.' })
  @ApiProblems(
    ...PERMISSION_PROBLEMS,
    'reauthentication-required',
    'unlimited-token-required',
    'not-found',
  )
  async listUserFactors(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<FactorsResponse> {
    const result = await this.administration.readFactors(principal, userId, origin, deadline);
    if (result.outcome !== 'found') {
      throw administrationProblem(result);
    }
    return FactorsResponse.from(result.factors);
  }

  @Delete('factors')
  @HttpCode(204)
  @RequirePermissions('users:write')
  @ApiOperation({
    operationId: 'removeUserFactors',
    summary: 'Remove all second factors of a user',
    description:
      'For a user who has lost them. Verify who asks before you use it: the password alone is then enough to log in. All sessions ' +
      'of the user end at once. Only for users whose permissions do not exceed your own. Your own factors require a login or a ' +
      'reauthentication within the last ten minutes.',
  })
  @ApiNoContentResponse({ description: 'The user has no second factors.' })
  @ApiProblems(
    ...STRAY_BODY_PROBLEMS,
    ...PERMISSION_PROBLEMS,
    'beyond-own-permissions',
    'reauthentication-required',
    'unlimited-token-required',
    'not-found',
    'not-confirmed',
  )
  async removeUserFactors(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.administration.removeFactors(principal, userId, origin, deadline);
    if (result.outcome !== 'removed') {
      throw administrationProblem(result);
    }
  }

  @Post('password-reset')
  @HttpCode(202)
  @RequirePermissions('users:write')
  @ApiOperation({
    operationId: 'resetUserPassword',
    summary: 'Send a user a mail for a new password',
    description:
      'The user sets the password with the link in the mail. A user without a password gets a new invitation. Nothing changes until ' +
      'the link is used: to end the sessions of the user now, use `DELETE /api/users/{id}/sessions`. You can only choose users within ' +
      'your own permissions. One address gets at most ten such mails and invitations in an hour.',
  })
  @ApiAcceptedResponse({ description: 'A mail follows.' })
  @ApiProblems(
    ...STRAY_BODY_PROBLEMS,
    ...PERMISSION_PROBLEMS,
    'beyond-own-permissions',
    'not-found',
    'no-verified-email',
    'user-disabled',
    'too-many-attempts',
    'mail-not-configured',
    'not-confirmed',
  )
  async resetPassword(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.administration.sendPasswordReset(principal, userId, origin, deadline);
    switch (result.outcome) {
      case 'requested':
        return;
      case 'no-verified-email':
      case 'user-disabled':
      case 'mail-not-configured':
        throw new Problem(result.outcome);
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
      case 'unknown-user':
      case 'own-access':
      case 'beyond-own-permissions':
      case 'last-administrator':
      case 'reauthentication-required':
      case 'unlimited-token-required':
        throw administrationProblem(result);
    }
  }
}
