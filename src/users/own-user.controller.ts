import { Body, Controller, Delete, Get, HttpCode, Patch } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { CurrentUser, type Principal } from '../common/authentication/index.js';
import { ApiProblems, BODY_PROBLEMS, GUARD_PROBLEMS, Problem } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { ChangeUserRequest } from './dto/change-user.request.dto.js';
import { DeleteUserRequest } from './dto/delete-user.request.dto.js';
import { UserResponse } from './dto/user.response.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Own user')
@Controller('api/user')
export class OwnUserController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @ApiOperation({ summary: 'Read your own user', description: 'The user whose token is sent.' })
  @ApiOkResponse({ type: UserResponse, description: 'Your user.' })
  @ApiProblems(...GUARD_PROBLEMS)
  read(@CurrentUser() principal: Principal): UserResponse {
    return UserResponse.from(principal.user);
  }

  @Patch()
  @ApiOperation({
    summary: 'Change your own user',
    description: 'Members that are left out stay as they are; null clears one.',
  })
  @ApiOkResponse({ type: UserResponse, description: 'Your user after the change.' })
  @ApiProblems(...BODY_PROBLEMS, ...GUARD_PROBLEMS, 'not-confirmed')
  async change(
    @CurrentUser() principal: Principal,
    @Body() body: ChangeUserRequest,
  ): Promise<UserResponse> {
    const user = await this.users.changeProfile(principal.userId, body);
    if (user === undefined) {
      throw new Problem('invalid-token');
    }
    return UserResponse.from(user);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
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
  ): Promise<void> {
    const result = await this.users.delete(principal.userId, new Secret(body.password));
    switch (result.outcome) {
      case 'deleted':
        return;
      case 'wrong-password':
        throw new Problem('wrong-password');
      case 'unknown-user':
        throw new Problem('invalid-token');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}
