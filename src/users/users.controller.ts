import { Body, Controller, Inject, Ip, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { AuditLog } from '../audit/index.js';
import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import {
  ApiProblems,
  BODY_PROBLEMS,
  Problem,
  refuseInvalidMembers,
} from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { RegisterUserRequest } from './dto/register-user.request.dto.js';
import { UserResponse } from './dto/user.response.dto.js';
import { checkPassword } from './passwords/password-policy.js';
import { checkUsername } from './username.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from './users.options.js';
import { UsersService } from './users.service.js';

@ApiTags('Users')
@Controller('api/users')
export class UsersController {
  private readonly passwordMinLength: number;

  constructor(
    private readonly users: UsersService,
    private readonly audit: AuditLog,
    @Inject(USERS_OPTIONS) options: UsersOptions,
  ) {
    this.passwordMinLength = options.passwordMinLength ?? USERS_DEFAULTS.passwordMinLength;
  }

  @Public()
  @Post()
  @ApiOperation({
    operationId: 'registerUser',
    summary: 'Register a user',
    description: 'Makes a user, who can log in at once.',
  })
  @ApiCreatedResponse({
    type: UserResponse,
    description: 'The new user.',
    headers: {
      Location: { description: 'Where the user is.', schema: { type: 'string' } },
    },
  })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'registration-closed',
    'username-taken',
    'overloaded',
    'not-confirmed',
  )
  async register(
    @Body() body: RegisterUserRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Ip() ip: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<UserResponse> {
    if (!this.users.isRegistrationOpen) {
      throw new Problem('registration-closed');
    }
    this.check(body);
    const registration = { ...body, password: new Secret(body.password) };
    const result = await this.users.register(registration, deadline);
    if (result.outcome === 'username-taken') {
      throw new Problem('username-taken');
    }
    this.audit.record({ type: 'user-registered', userId: result.user.id, ip });
    void reply.header('Location', `/api/users/${result.user.id}`);
    return UserResponse.from(result.user);
  }

  private check(body: RegisterUserRequest): void {
    refuseInvalidMembers({
      '/username': checkUsername(body.username),
      '/password': checkPassword(body.password, this.passwordMinLength, body),
    });
  }
}
