import { Body, Controller, Delete, Get, HttpCode, Patch, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import {
  CurrentUser,
  RequireUnlimitedToken,
  USER_PROBLEMS,
  userOnly,
  WithoutSecondFactor,
  type Principal,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { BODY_PROBLEMS } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { ChangeOwnUserRequest } from './dto/change-own-user.request.dto.js';
import { ChangedOwnUserResponse } from './dto/changed-own-user.response.dto.js';
import { DeleteUserRequest } from './dto/delete-user.request.dto.js';
import { UserResponse } from './dto/user.response.dto.js';
import { ownUserProblem } from './own-user.problems.js';
import { UsersService } from './users.service.js';

@ApiTags('Own user')
@Controller('api/user')
export class OwnUserController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @WithoutSecondFactor()
  @ApiOperation({
    operationId: 'getOwnUser',
    summary: 'Read your own user',
    description: 'The user whose token is sent.',
  })
  @ApiOkResponse({ type: UserResponse, description: 'Your user.' })
  @ApiProblems(...USER_PROBLEMS)
  // Takes the request object, because Nest passes the values of custom decorators through the validation pipe, which needs
  // promises.
  read(@Req() { user: principal }: { readonly user: Principal }): UserResponse {
    return UserResponse.from(userOnly(principal).user);
  }

  @Patch()
  @RequireUnlimitedToken()
  @ApiOperation({
    operationId: 'updateOwnUser',
    summary: 'Change your own user',
    description:
      'Omitted members stay unchanged; null clears a member. A new e-mail address ends all other sessions. It requires ' +
      '`currentPassword` if you logged in more than ten minutes ago; with a second factor it requires a reauthentication then ' +
      '(`POST /api/user/reauthentication`). A refresh does not count as a login. If the current address is ' +
      'confirmed and the server can send mails, the new one replaces it only when it is confirmed, too: the response then has ' +
      '`pendingEmail`, and the sessions end at that time.',
  })
  @ApiOkResponse({ type: ChangedOwnUserResponse, description: 'Your user after the change.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...USER_PROBLEMS,
    'reauthentication-required',
    'wrong-password',
    'too-many-attempts',
    'overloaded',
    'not-confirmed',
  )
  async change(
    @CurrentUser() principal: UserPrincipal,
    @Body() { currentPassword, ...change }: ChangeOwnUserRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<ChangedOwnUserResponse> {
    const password = currentPassword === undefined ? undefined : new Secret(currentPassword);
    const result = await this.users.changeProfile(principal, change, password, origin, deadline);
    if (result.outcome !== 'changed') {
      throw ownUserProblem(result);
    }
    return ChangedOwnUserResponse.of(result.user, result.pendingEmail);
  }

  @Delete()
  @RequireUnlimitedToken()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteOwnUser',
    summary: 'Delete your own user',
    description:
      'Requires the password, and with a second factor a login or a reauthentication within the last ten minutes ' +
      '(`POST /api/user/reauthentication`). All sessions end at once, and the name becomes free.',
  })
  @ApiNoContentResponse({ description: 'The user was deleted.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...USER_PROBLEMS,
    'reauthentication-required',
    'wrong-password',
    'last-administrator',
    'too-many-attempts',
    'overloaded',
    'not-confirmed',
  )
  async delete(
    @CurrentUser() principal: UserPrincipal,
    @Body() body: DeleteUserRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const password = new Secret(body.password);
    const result = await this.users.deleteOwn(principal, password, origin, deadline);
    if (result.outcome !== 'deleted') {
      throw ownUserProblem(result);
    }
  }
}
