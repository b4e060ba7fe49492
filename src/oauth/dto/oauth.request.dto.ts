import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/*
 * These classes document forms. Fields are read by `field`, because unknown fields are ignored (RFC 6749 section 3.2), and empty
 * ones count as absent.
 */

/** Otherwise Swagger UI sends the text `string` for every field that is not filled in. */
const EMPTY = { example: '' } as const;

/** The credentials of a service account, if they are not in the `Authorization` header (`client_secret_basic`). */
export class ClientCredentialsForm {
  @ApiPropertyOptional({ ...EMPTY, description: 'For `client_secret_post`.' })
  client_id?: string;

  @ApiPropertyOptional({
    ...EMPTY,
    format: 'password',
    description: 'For `client_secret_post`.',
  })
  client_secret?: string;

  @ApiPropertyOptional({
    enum: ['urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
    description: 'For `private_key_jwt`.',
  })
  client_assertion_type?: string;

  @ApiPropertyOptional({
    ...EMPTY,
    description:
      'For `private_key_jwt`: a JWT with `iss` and `sub` equal to the client id, `aud` equal to the issuer, `exp` within five ' +
      'minutes, and a new `jti`.',
  })
  client_assertion?: string;
}

export class TokenForm extends ClientCredentialsForm {
  @ApiProperty({ enum: ['client_credentials'] })
  grant_type!: string;

  @ApiPropertyOptional({
    ...EMPTY,
    description:
      'Permissions of the account, separated by spaces. The token is limited to them, and carries them as `scope`.',
  })
  scope?: string;

  @ApiPropertyOptional({
    ...EMPTY,
    description: 'One of the audiences of the account. Default: the first one.',
  })
  audience?: string;

  @ApiPropertyOptional({
    ...EMPTY,
    description: 'The same as `audience`, as a URI (RFC 8707).',
  })
  resource?: string;
}

export class TokenToCheckForm extends ClientCredentialsForm {
  @ApiProperty({ description: 'An access token or a refresh token.' })
  token!: string;

  @ApiPropertyOptional({
    enum: ['access_token', 'refresh_token'],
    description: 'Has no effect: Keyslot recognizes both kinds.',
  })
  token_type_hint?: string;
}
