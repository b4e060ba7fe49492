import { Body, Controller, Delete, Get, HttpCode, Inject, Patch, Put, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { AuditLog } from '../audit/index.js';
import { CurrentUser, type Principal } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import {
  ApiProblems,
  BODY_PROBLEMS,
  GUARD_PROBLEMS,
  Problem,
  refuseInvalidMembers,
} from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { ChangePasswordRequest } from './dto/change-password.request.dto.js';
import { ChangeUserRequest } from './dto/change-user.request.dto.js';
import { DeleteUserRequest } from './dto/delete-user.request.dto.js';
import { UserResponse } from './dto/user.response.dto.js';
import { checkPassword } from './passwords/password-policy.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from './users.options.js';
import type { Refusal } from './passwords/credentials.js';
import { UsersService } from './users.service.js';

@ApiTags('Own user')
@Controller('api/user')
export class OwnUserController {
  private readonly passwordMinLength: number;

  constructor(
    private readonly users: UsersService,
    private readonly audit: AuditLog,
    @Inject(USERS_OPTIONS) options: UsersOptions,
  ) {
    this.passwordMinLength = options.passwordMinLength ?? USERS_DEFAULTS.passwordMinLength;
  }

  @Get()
  @ApiOperation({
    operationId: 'getOwnUser',
    summary: 'Read your own user',
    description: 'The user whose token is sent.',
  })
  @ApiOkResponse({ type: UserResponse, description: 'Your user.' })
  @ApiProblems(...GUARD_PROBLEMS)
  // The request itself: Nest sends the values of other decorators through the validation pipe, promises and all.
  read(@Req() { user: principal }: { readonly user: Principal }): UserResponse {
    return UserResponse.from(principal.user);
  }

  @Patch()
  @ApiOperation({
    operationId: 'updateOwnUser',
    summary: 'Change your own user',
    description:
      'Members that are left out stay as they are; null clears one. A new e-mail address ends all other sessions.',
  })
  @ApiOkResponse({ type: UserResponse, description: 'Your user after the change.' })
  @ApiProblems(...BODY_PROBLEMS, ...GUARD_PROBLEMS, 'not-confirmed')
  async change(
    @CurrentUser() principal: Principal,
    @Body() body: ChangeUserRequest,
    @RequestDeadline() deadline: Deadline,
  ): Promise<UserResponse> {
    const user = await this.users.changeProfile(principal, body, deadline);
    if (user === undefined) {
      throw new Problem('invalid-token');
    }
    return UserResponse.from(user);
  }

  @Put('password')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'changeOwnPassword',
    summary: 'Change your password',
    description: 'Needs the current one. Every other session ends at once; this one goes on.',
  })
  @ApiNoContentResponse({ description: 'The new password holds.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...GUARD_PROBLEMS,
    'wrong-password',
    'too-many-attempts',
    'overloaded',
    'not-confirmed',
  )
  async changePassword(
    @CurrentUser() { userId, sessionId, user }: Principal,
    @Body() body: ChangePasswordRequest,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    refuseInvalidMembers({
      '/newPassword': checkPassword(body.newPassword, this.passwordMinLength, {
        username: user.username,
        email: user.email ?? undefined,
      }),
    });
    const change = {
      current: new Secret(body.currentPassword),
      next: new Secret(body.newPassword),
      sessionId,
    };
    const result = await this.users.changePassword(userId, change, deadline);
    if (result.outcome !== 'changed') {
      throw refusal(result);
    }
    this.audit.record({ type: 'password-changed', userId, sessionId });
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteOwnUser',
    summary: 'Delete your own user',
    description: 'Needs the password. All sessions end at once, and the name is free again.',
  })
  @ApiNoContentResponse({ description: 'The user is gone.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...GUARD_PROBLEMS,
    'wrong-password',
    'too-many-attempts',
    'overloaded',
    'not-confirmed',
  )
  async delete(
    @CurrentUser() principal: Principal,
    @Body() body: DeleteUserRequest,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const { userId } = principal;
    const result = await this.users.deleteOwn(userId, new Secret(body.password), deadline);
    if (result.outcome !== 'deleted') {
      throw refusal(result);
    }
    this.audit.record({ type: 'user-deleted', userId });
  }
}

function refusal(result: Refusal): Problem {
  switch (result.outcome) {
    case 'wrong-password':
      return new Problem('wrong-password');
    case 'unknown-user':
      return new Problem('invalid-token');
    case 'too-many-attempts':
      return new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
  }
}
