import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { BODY_PROBLEMS, Problem } from '../common/problem/index.js';
import { PasskeyLogins } from '../credentials/index.js';
import { AuthService } from './auth.service.js';
import { CredentialBody, PasskeyOptionsRequest } from './dto/passkey.request.dto.js';
import { TokensResponse } from './dto/tokens.response.dto.js';
import { ApiLoggedIn, loggedIn } from './logged-in.js';

@ApiTags('Login')
@Controller('api/login/passkey')
export class PasskeyLoginController {
  constructor(
    private readonly auth: AuthService,
    private readonly passkeys: PasskeyLogins,
  ) {}

  @Public()
  @Post('options')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'passkeyOptions',
    summary: 'Log in with a passkey: the options',
    description:
      'The argument of `navigator.credentials.get`, as JSON (WebAuthn `PublicKeyCredentialRequestOptionsJSON`). Valid for five ' +
      'minutes. Without `challenge`: for a login with a passkey alone, or a reauthentication. With the challenge of ' +
      '`second-factor-required`: for the second step of that login.',
  })
  @ApiOkResponse({ type: Object, description: 'For the browser.' })
  @ApiProblems(...BODY_PROBLEMS, 'invalid-challenge', 'store-unavailable')
  async options(
    @Body() { challenge }: PasskeyOptionsRequest,
    @RequestDeadline() deadline: Deadline,
  ): Promise<object> {
    const options = await this.passkeys.options(challenge, deadline);
    if (!options) {
      throw new Problem('invalid-challenge');
    }
    return options;
  }

  @Public()
  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'loginWithPasskey',
    summary: 'Log in with a passkey',
    description:
      'Without a user name and a password: send what `navigator.credentials.get` returned (WebAuthn `AuthenticationResponseJSON`). ' +
      'The authenticator names the user, and has verified that it is the user.',
  })
  @ApiLoggedIn()
  @ApiProblems(
    ...BODY_PROBLEMS,
    'passkey-refused',
    'too-many-attempts',
    'store-unavailable',
    'not-confirmed',
  )
  async login(
    @Body() response: CredentialBody,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<TokensResponse> {
    const result = await this.auth.loginWithPasskey(
      { response, cookies: headers.cookie },
      origin,
      deadline,
    );
    switch (result.outcome) {
      case 'logged-in':
        return loggedIn(reply, result);
      case 'wrong':
        throw new Problem('passkey-refused');
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}
