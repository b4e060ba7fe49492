import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { IssuedTokens } from '../session-tokens.js';

/** Named as in RFC 6749 section 5.1. */
export class TokensResponse {
  @ApiProperty({ description: 'A JWT (RFC 9068). Send it as `Authorization: Bearer …`.' })
  access_token!: string;

  @ApiProperty({ enum: ['Bearer'] })
  token_type!: 'Bearer';

  @ApiProperty({ description: 'Lifetime of the access token, in seconds.', example: 900 })
  expires_in!: number;

  @ApiProperty({ description: 'Opaque. Protect it like a password.' })
  refresh_token!: string;

  @ApiProperty({ format: 'uuid' })
  session_id!: string;

  @ApiPropertyOptional({
    description: 'The permissions to which the access token is limited. Only if a scope was sent.',
    example: 'orders:read',
  })
  scope?: string;

  static from(tokens: IssuedTokens): TokensResponse {
    return {
      access_token: tokens.accessToken.reveal(),
      token_type: 'Bearer',
      expires_in: tokens.expiresInSeconds,
      refresh_token: tokens.refreshToken.reveal(),
      session_id: tokens.sessionId,
      ...(tokens.scope === undefined ? {} : { scope: tokens.scope }),
    };
  }
}
