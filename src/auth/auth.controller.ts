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

import { CurrentUser, Public, type UserPrincipal } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems, BODY_PROBLEMS, GUARD_PROBLEMS, Problem } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { AuthService } from './auth.service.js';
import { BearerOrBodyGuard } from './bearer-or-body.guard.js';
import { RefreshService } from './refresh.service.js';
import { LoginRequestBody } from './dto/login.request.dto.js';
import { LogoutRequestBody } from './dto/logout.request.dto.js';
import { RefreshRequestBody } from './dto/refresh.request.dto.js';
import { TokensResponse } from './dto/tokens.response.dto.js';
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
      'Begins a session. On the page of Swagger UI, executing it authorizes the page. The cookie of the answer logs nobody ' +
      'in: a client that sends it along with the next login is not kept out by wrong passwords of others.',
  })
  @ApiOkResponse({
    type: TokensResponse,
    description: 'The tokens of the new session.',
    headers: {
      'Set-Cookie': { description: 'Marks the device as known.', schema: { type: 'string' } },
    },
  })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'wrong-credentials',
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
        void reply.header('Set-Cookie', result.deviceCookie);
        return TokensResponse.from(result.tokens);
      case 'wrong-credentials':
        throw new Problem('wrong-credentials');
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
      'Exchanges the refresh token for new tokens of the same session. Each can be used once. For some seconds a spent ' +
      'one yields the newest answer of the session, in case an answer was lost or another tab was faster; after that it ends ' +
      'the session.',
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
    const result = await this.refreshes.refresh(body.refresh_token, origin, deadline);
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
      'Ends the session: no instance accepts its tokens any more. Without a body, it is the session of the access token. With ' +
      '`refresh_token` it is the session of that token, also when the access token has run out and when the refresh token is ' +
      'spent; an access token does not count then. A session that is over already is a success: after a 503, repeat the ' +
      'request with the refresh token until it is answered 204.',
  })
  @ApiBody({
    type: LogoutRequestBody,
    required: false,
    examples: { 'The session of the access token': { value: {} } },
  })
  @ApiNoContentResponse({ description: 'The session has ended.' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...GUARD_PROBLEMS,
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
