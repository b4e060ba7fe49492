import { Body, Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import {
  CurrentUser,
  Public,
  USER_PROBLEMS,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { BODY_PROBLEMS, Problem } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { AuthService } from './auth.service.js';
import { BearerOrBodyGuard } from './bearer-or-body.guard.js';
import { RefreshService } from './refresh.service.js';
import { LoginRequestBody } from './dto/login.request.dto.js';
import { LogoutRequestBody } from './dto/logout.request.dto.js';
import {
  SECOND_FACTOR_EXAMPLES,
  SecondFactorRequestBody,
} from './dto/second-factor.request.dto.js';
import { RefreshRequestBody } from './dto/refresh.request.dto.js';
import { TokensResponse } from './dto/tokens.response.dto.js';
import { ApiLoggedIn, loggedIn } from './logged-in.js';
import { presentedProof } from './presented-proof.js';
import { LogoutBodyPipe } from './logout-body.pipe.js';

/** An interface, because the global pipe would require a body for a class. Here the body is optional. */
type PresentedToken = Readonly<Pick<RefreshRequestBody, 'refresh_token'>>;

@ApiTags('Login')
@Controller('api')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly refreshes: RefreshService,
  ) {}

  @Public()
  @Post('login')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'login',
    summary: 'Log in',
    description:
      'Starts a session. Swagger UI then uses its access token. The response sets a cookie that authenticates nobody. If the ' +
      'client sends it with later logins, wrong passwords from other devices do not block this device. A user with a second factor ' +
      '(an authenticator application, a passkey) gets 403 `second-factor-required` with a `challenge` for the second step.',
  })
  @ApiLoggedIn()
  @ApiProblems(
    ...BODY_PROBLEMS,
    'wrong-credentials',
    'second-factor-required',
    'too-many-attempts',
    'overloaded',
    'store-unavailable',
    'not-confirmed',
  )
  async login(
    @Body() body: LoginRequestBody,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<TokensResponse> {
    const { username, password } = body;
    const login = { username, password: new Secret(password), cookies: headers.cookie };
    const result = await this.auth.login(login, origin, deadline);
    switch (result.outcome) {
      case 'logged-in':
        return loggedIn(reply, result);
      case 'second-factor-required': {
        const { challenge, factors } = result;
        const extensions = { challenge: challenge.reveal(), factors };
        throw new Problem('second-factor-required', { extensions });
      }
      case 'wrong-credentials':
        throw new Problem('wrong-credentials');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }

  @Public()
  @Post('login/second-factor')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'finishLogin',
    summary: 'Log in: the second step',
    description:
      'For a user with a second factor. Send the challenge of the problem `second-factor-required`, and one proof: `code`, ' +
      '`recoveryCode`, `passkey`, or the `proof` of a `factor` that the application has added. A challenge is valid for five minutes, for ' +
      'one login and at most five wrong proofs. After a 503 the proof may be spent: begin the login again, with the next code or another ' +
      'recovery code.',
  })
  @ApiBody({ type: SecondFactorRequestBody, examples: SECOND_FACTOR_EXAMPLES })
  @ApiLoggedIn()
  @ApiProblems(
    ...BODY_PROBLEMS,
    'wrong-second-factor',
    'invalid-challenge',
    'too-many-attempts',
    'store-unavailable',
    'not-confirmed',
  )
  async finishLogin(
    @Body() body: SecondFactorRequestBody,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<TokensResponse> {
    const step = {
      challenge: body.challenge,
      ...presentedProof(body),
      cookies: headers.cookie,
    };
    const result = await this.auth.finishLogin(step, origin, deadline);
    switch (result.outcome) {
      case 'logged-in':
        return loggedIn(reply, result);
      case 'wrong':
        throw new Problem('wrong-second-factor');
      case 'ended':
        throw new Problem('invalid-challenge');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }

  @Public()
  @Post('refresh')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'refreshTokens',
    summary: 'Refresh the tokens',
    description:
      'Exchanges the refresh token for new tokens of the same session. Each token can be used once. During the grace period a ' +
      'spent token returns the newest tokens of the session, in case a response was lost or two tabs refreshed at once. After ' +
      'the grace period, the use of a spent token ends the session. With `scope`, the access token is limited.',
  })
  @ApiOkResponse({ type: TokensResponse, description: 'The new tokens.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'invalid-refresh-token',
    'too-many-attempts',
    'store-unavailable',
    'not-confirmed',
  )
  async refresh(
    @Body() body: RefreshRequestBody,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<TokensResponse> {
    const result = await this.refreshes.refresh(body.refresh_token, body.scope, origin, deadline);
    switch (result.outcome) {
      case 'refreshed':
        return TokensResponse.from(result.tokens);
      case 'refused':
        throw new Problem('invalid-refresh-token');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }

  @Public()
  @ApiBearerAuth()
  @UseGuards(BearerOrBodyGuard)
  @Post('logout')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'logout',
    summary: 'Log out',
    description:
      'Ends a session. After the response, no instance accepts its tokens. Without a body, it ends the session of the access ' +
      'token. With `refresh_token`, it ends the session of that token and ignores the access token. The refresh token may be ' +
      'spent, and the session may have ended already. After a 503, repeat the request with the ' +
      'refresh token until the response is 204.',
  })
  @ApiBody({
    type: LogoutRequestBody,
    required: false,
    examples: { 'The session of the access token': { value: {} } },
  })
  @ApiNoContentResponse({ description: 'The session has ended.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...USER_PROBLEMS,
    'invalid-refresh-token',
    'too-many-attempts',
    'not-confirmed',
  )
  async logout(
    @Body(LogoutBodyPipe) body: PresentedToken | undefined,
    @CurrentUser() principal: UserPrincipal | undefined,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    if (body === undefined) {
      const { userId, sessionId } = principal!;
      await this.auth.logout(userId, sessionId, origin, deadline);
      return;
    }
    const result = await this.refreshes.logout(body.refresh_token, origin, deadline);
    switch (result.outcome) {
      case 'logged-out':
        return;
      case 'refused':
        throw new Problem('invalid-refresh-token');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}
