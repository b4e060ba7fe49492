import { ApiOkResponse } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import type { LoggedIn } from './auth.service.js';
import { TokensResponse } from './dto/tokens.response.dto.js';

/** Documents the response of every kind of login. */
export function ApiLoggedIn(): MethodDecorator {
  return ApiOkResponse({
    type: TokensResponse,
    description: 'The tokens of the new session.',
    headers: {
      'Set-Cookie': { description: 'Marks the device as known.', schema: { type: 'string' } },
    },
  });
}

/** The response of every kind of login. */
export function loggedIn(reply: FastifyReply, { tokens, deviceCookie }: LoggedIn): TokensResponse {
  void reply.header('Set-Cookie', deviceCookie);
  return TokensResponse.from(tokens);
}
