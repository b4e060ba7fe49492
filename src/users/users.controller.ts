import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { BODY_PROBLEMS, invalidRequest, Problem } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { RegisterUserRequest } from './dto/register-user.request.dto.js';
import { UserResponse } from './dto/user.response.dto.js';
import { Registrations } from './registrations.js';

@ApiTags('Users')
@Controller('api/users')
export class UsersController {
  constructor(private readonly registrations: Registrations) {}

  @Public()
  @Post()
  @ApiOperation({
    operationId: 'registerUser',
    summary: 'Register a user',
    description: 'Creates a user. The user can log in at once.',
  })
  @ApiCreatedResponse({
    type: UserResponse,
    description: 'The new user.',
    headers: {
      Location: { description: 'The path of the user.', schema: { type: 'string' } },
    },
  })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'registration-closed',
    'username-taken',
    'too-many-attempts',
    'overloaded',
    'store-unavailable',
    'not-confirmed',
  )
  async register(
    @Body() body: RegisterUserRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<UserResponse> {
    const registration = { ...body, password: new Secret(body.password) };
    const result = await this.registrations.selfRegister(registration, origin, deadline);
    switch (result.outcome) {
      case 'refused':
        throw invalidRequest(result.failures);
      case 'registration-closed':
      case 'username-taken':
        throw new Problem(result.outcome);
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
      case 'registered':
        break;
    }
    void reply.header('Location', `${reply.request.routeOptions.url}/${result.user.id}`);
    return UserResponse.from(result.user);
  }
}
