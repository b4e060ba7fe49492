import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../../common/api-problems/index.js';
import {
  CurrentUser,
  Public,
  RequireUnlimitedToken,
  USER_PROBLEMS,
  type UserPrincipal,
} from '../../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../../common/origin/index.js';
import { BODY_PROBLEMS, Problem, STRAY_BODY_PROBLEMS } from '../../common/problem/index.js';
import { Secret } from '../../common/secret/index.js';
import { OneTimeTokenRequest } from '../dto/one-time-token.request.dto.js';
import { EmailVerifications } from './email-verifications.js';

@ApiTags('Own user')
@Controller('api')
export class EmailVerificationsController {
  constructor(private readonly verifications: EmailVerifications) {}

  @Post('user/email-verification')
  @RequireUnlimitedToken()
  @HttpCode(202)
  @ApiOperation({
    operationId: 'requestEmailVerification',
    summary: 'Request a mail to confirm your e-mail address',
    description:
      'The mail contains a link that is valid for 24 hours and can be used once. At most five mails in an hour.',
  })
  @ApiAcceptedResponse({ description: 'A mail follows.' })
  @ApiProblems(
    ...STRAY_BODY_PROBLEMS,
    ...USER_PROBLEMS,
    'nothing-to-verify',
    'too-many-attempts',
    'mail-not-configured',
    'not-confirmed',
  )
  async requestVerification(
    @CurrentUser() { userId }: UserPrincipal,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.verifications.request(userId, origin, deadline);
    switch (result.outcome) {
      case 'requested':
        return;
      case 'unknown-user':
        throw new Problem('invalid-token');
      case 'nothing-to-verify':
      case 'mail-not-configured':
        throw new Problem(result.outcome);
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }

  @Public()
  @Post('email-verifications')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'confirmEmail',
    summary: 'Confirm an e-mail address with the link in a mail',
    description:
      'If the mail was sent for a new address, this address replaces the former one, and all sessions end except the one that has ' +
      'requested the change.',
  })
  @ApiNoContentResponse({ description: 'The address was confirmed.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'invalid-one-time-token',
    'too-many-attempts',
    'store-unavailable',
    'not-confirmed',
  )
  async confirm(
    @Body() { token }: OneTimeTokenRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.verifications.confirm(new Secret(token), origin, deadline);
    switch (result.outcome) {
      case 'verified':
        return;
      case 'invalid-token':
        throw new Problem('invalid-one-time-token');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}
