import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { CurrentPrincipal, OptionalToken, type Principal } from '../common/authentication/index.js';
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

  @OptionalToken()
  @Post()
  @ApiOperation({
    operationId: 'registerUser',
    summary: 'Register a user',
    description:
      'Creates a user, who can log in at once. While registration is closed, this requires the permission `users:write`. With this ' +
      'permission, `password` may be omitted: the user is invited by mail, and sets a password with the link within 24 hours. ' +
      '`POST /api/users/{id}/password-reset` sends another link. One address gets at most ten such mails in an hour.',
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
    'invalid-token',
    'registration-closed',
    'second-factor-enrolment-required',
    'username-taken',
    'too-many-attempts',
    'mail-not-configured',
    'overloaded',
    'store-unavailable',
    'not-confirmed',
  )
  async register(
    @CurrentPrincipal() caller: Principal | undefined,
    @Body() { password, ...profile }: RegisterUserRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<UserResponse> {
    const request = {
      ...profile,
      password: password === undefined ? undefined : new Secret(password),
    };
    const result = await this.registrations.registerFor(caller, request, origin, deadline);
    switch (result.outcome) {
      case 'refused':
        throw invalidRequest(result.failures);
      case 'registration-closed':
      case 'username-taken':
      case 'mail-not-configured':
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
