import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import {
  CurrentUser,
  RequireUnlimitedToken,
  USER_PROBLEMS,
  WithoutSecondFactor,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { BODY_PROBLEMS, Problem } from '../common/problem/index.js';
import {
  REAUTHENTICATION_EXAMPLES,
  ReauthenticationRequestBody,
} from './dto/reauthentication.request.dto.js';
import { TokensResponse } from './dto/tokens.response.dto.js';
import { presentedCredentials } from './presented-proof.js';
import { ReauthenticationService } from './reauthentication.service.js';

@ApiTags('Login')
@RequireUnlimitedToken()
@WithoutSecondFactor()
@Controller('api/user/reauthentication')
export class ReauthenticationController {
  constructor(private readonly service: ReauthenticationService) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'reauthenticate',
    summary: 'Prove again who you are',
    description:
      'For routes that require a recent login. Send `password`; with a second factor, one of `code`, `recoveryCode` and `passkey`, ' +
      'alone or with `password`. The claim `amr` contains what you have sent. After a 503 a proof may be spent: send another one. Returns new tokens of ' +
      'the same session. The former tokens stay valid and keep their `auth_time`, also over refreshes: the access token until it expires, ' +
      'the refresh token until one of them is used, and for the grace period after that. Without a grace period, the former refresh ' +
      'token ends at once.',
  })
  @ApiBody({ type: ReauthenticationRequestBody, examples: REAUTHENTICATION_EXAMPLES })
  @ApiOkResponse({ type: TokensResponse, description: 'New tokens of the same session.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...USER_PROBLEMS,
    'wrong-password',
    'wrong-second-factor',
    'second-factor-required',
    'too-many-attempts',
    'overloaded',
    'not-confirmed',
  )
  async reauthenticate(
    @CurrentUser() principal: UserPrincipal,
    @Body() body: ReauthenticationRequestBody,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<TokensResponse> {
    const presented = presentedCredentials(body);
    const result = await this.service.reauthenticate(principal, presented, origin, deadline);
    switch (result.outcome) {
      case 'reauthenticated':
        return TokensResponse.from(result.tokens);
      case 'wrong-password':
        throw new Problem('wrong-password');
      case 'second-factor-required':
        throw new Problem('second-factor-required', { extensions: { factors: result.factors } });
      case 'wrong':
        throw new Problem('wrong-second-factor');
      case 'ended':
      case 'unknown-user':
        throw new Problem('invalid-token');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}
