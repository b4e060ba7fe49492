import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiBasicAuth, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { CLIENT_SECRET_SCHEME, FormBody, OAuthError, OAuthErrors } from '../common/http/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import type { AccountCredentials } from '../service-accounts/index.js';
import { ClientGuard, CurrentClient } from './client.guard.js';
import { ClientTokens } from './client-tokens.js';
import { TokenForm, TokenToCheckForm } from './dto/oauth.request.dto.js';
import { ClientTokenResponse, IntrospectionResponse } from './dto/oauth.response.dto.js';
import { field, type Form } from './form-fields.js';
import { TokenIntrospection, type Introspection } from './introspection.js';
import { TokenRevocation } from './revocation.js';

/** The endpoints for service accounts. They authenticate by their own credentials, not by a token. */
@ApiTags('OAuth')
@Public()
@ApiBasicAuth(CLIENT_SECRET_SCHEME)
@UseGuards(ClientGuard)
@FormBody()
@OAuthErrors()
@Controller('oauth')
export class OAuthController {
  constructor(
    private readonly tokens: ClientTokens,
    private readonly introspection: TokenIntrospection,
    private readonly revocation: TokenRevocation,
  ) {}

  @Post('token')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'requestToken',
    summary: 'Get an access token as a service account',
    description:
      'RFC 6749 section 4.4. Swagger UI then uses the token. There is no refresh token. Without `scope`, the token allows what ' +
      'the account is permitted at the time of each request.',
  })
  @ApiBody({ type: TokenForm })
  @ApiOkResponse({ type: ClientTokenResponse, description: 'The token.' })
  async token(
    @CurrentClient() client: AccountCredentials,
    @Body() form: Form,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<ClientTokenResponse> {
    const grantType = field(form, 'grant_type');
    if (grantType === undefined) {
      throw new OAuthError('invalid_request', 'The field grant_type is missing.');
    }
    if (grantType !== 'client_credentials') {
      throw new OAuthError('unsupported_grant_type', 'Only client_credentials is supported.');
    }
    const request = {
      scope: field(form, 'scope'),
      audience: field(form, 'audience'),
      resource: field(form, 'resource'),
    };
    const result = await this.tokens.issue(client, request, origin, deadline);
    switch (result.outcome) {
      case 'invalid-scope':
        throw new OAuthError('invalid_scope', 'The account lacks a permission in the field scope.');
      case 'invalid-target':
        throw new OAuthError('invalid_target', 'The account may not get tokens for this audience.');
      case 'issued':
        return {
          access_token: result.accessToken.reveal(),
          token_type: 'Bearer',
          expires_in: result.expiresInSeconds,
          ...(result.scope === '' ? {} : { scope: result.scope }),
        };
    }
  }

  @Post('introspect')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'introspectToken',
    summary: 'Ask whether a token is accepted',
    description:
      'RFC 7662, for access tokens with any audience and for refresh tokens. The answer is current: after a logout or any other ' +
      'revocation has returned, the token is not active. A refresh token is not spent.',
  })
  @ApiBody({ type: TokenToCheckForm })
  @ApiOkResponse({ type: IntrospectionResponse, description: 'The state of the token.' })
  async introspect(
    @Body() form: Form,
    @RequestDeadline() deadline: Deadline,
  ): Promise<Introspection> {
    return this.introspection.introspect(tokenIn(form), deadline);
  }

  @Post('revoke')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'revokeToken',
    summary: 'Revoke a token',
    description:
      'RFC 7009. After the response, no instance accepts the token. With a refresh token, its session ends. With an access ' +
      'token, only this token is revoked. Of service accounts, only your own tokens are revoked. An unknown token gets 200, too.',
  })
  @ApiBody({ type: TokenToCheckForm })
  @ApiOkResponse({ description: 'The token is not accepted any more.' })
  async revoke(
    @CurrentClient() client: AccountCredentials,
    @Body() form: Form,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    await this.revocation.revoke(client, tokenIn(form), origin, deadline);
  }
}

function tokenIn(form: Form): string {
  const token = field(form, 'token');
  if (token === undefined) {
    throw new OAuthError('invalid_request', 'The field token is missing.');
  }
  return token;
}
