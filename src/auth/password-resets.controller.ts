import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { ApiProblems } from '../common/api-problems/index.js';
import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { BODY_PROBLEMS, invalidRequest, Problem } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { DeviceCookies } from '../credentials/index.js';
import { PasswordResets, type ResetSubject } from '../users/index.js';
import {
  PasswordResetConfirmation,
  PasswordResetRequest,
} from './dto/password-reset.request.dto.js';

/** Here and not in `users`, because it needs `DeviceCookies`, which AuthModule provides. */
@ApiTags('Login')
@Public()
@Controller('api/password-resets')
export class PasswordResetsController {
  constructor(
    private readonly resets: PasswordResets,
    private readonly devices: DeviceCookies,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    operationId: 'requestPasswordReset',
    summary: 'Request a mail for a new password',
    description:
      'The response is the same whether or not there is such a user. A user with a confirmed e-mail address gets a mail with a link ' +
      'that is valid for 15 minutes and can be used once. A user gets at most three mails in this time.',
  })
  @ApiAcceptedResponse({ description: 'If there is such a user, a mail follows.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'too-many-attempts',
    'mail-not-configured',
    'store-unavailable',
    'not-confirmed',
  )
  async requestReset(
    @Body() body: PasswordResetRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.resets.request(subjectOf(body), origin, deadline);
    switch (result.outcome) {
      case 'requested':
        return;
      case 'mail-not-configured':
        throw new Problem(result.outcome);
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }

  @Post('confirm')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'confirmPasswordReset',
    summary: 'Set a new password with the link in a mail',
    description:
      'Also sets the first password of an invited user. All sessions of the user end at once on every instance. It does not log in, ' +
      'but the response marks the device as known, so that its next login is not blocked because of wrong passwords of others. Codes ' +
      'of a second factor from it count as those of a stranger.',
  })
  @ApiNoContentResponse({
    description: 'The password was set.',
    headers: {
      'Set-Cookie': { description: 'Marks the device as known.', schema: { type: 'string' } },
    },
  })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'invalid-one-time-token',
    'too-many-attempts',
    'overloaded',
    'store-unavailable',
    'not-confirmed',
  )
  async confirmReset(
    @Body() { token, newPassword }: PasswordResetConfirmation,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.resets.confirm(
      new Secret(token),
      new Secret(newPassword),
      origin,
      deadline,
    );
    switch (result.outcome) {
      case 'reset':
        void reply.header('Set-Cookie', this.devices.issue(result.user, true));
        return;
      case 'refused':
        throw invalidRequest({ newPassword: result.failure });
      case 'invalid-token':
        throw new Problem('invalid-one-time-token');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}

function subjectOf({ username, email }: PasswordResetRequest): ResetSubject {
  if (username !== undefined && email === undefined) {
    return { username };
  }
  if (email !== undefined && username === undefined) {
    return { email };
  }
  const failure = { code: 'one-of', params: { items: 'username, email' } };
  throw invalidRequest({ username: failure, email: failure });
}
