import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** RFC 6749 section 5.1. */
export class ClientTokenResponse {
  @ApiProperty({ description: 'A JWT (RFC 9068). Send it as `Authorization: Bearer …`.' })
  access_token!: string;

  @ApiProperty({ enum: ['Bearer'] })
  token_type!: 'Bearer';

  @ApiProperty({ description: 'Lifetime in seconds.', example: 900 })
  expires_in!: number;

  @ApiPropertyOptional({
    description: 'What the token allows now. Absent for an account without permissions.',
    example: 'orders:read',
  })
  scope?: string;
}

/** RFC 7662 section 2.2. */
export class IntrospectionResponse {
  @ApiProperty({ description: 'Whether the token is accepted. If not, there is no other member.' })
  active!: boolean;

  @ApiPropertyOptional({
    description: 'The permissions that the token grants now, separated by spaces.',
    example: 'orders:read',
  })
  scope?: string;

  @ApiPropertyOptional()
  client_id?: string;

  @ApiPropertyOptional({ description: 'Only for users.' })
  username?: string;

  @ApiPropertyOptional({ enum: ['Bearer'], description: 'Only for access tokens.' })
  token_type?: 'Bearer';

  @ApiPropertyOptional({ description: 'Seconds since 1970.' })
  exp?: number;

  @ApiPropertyOptional({ description: 'Seconds since 1970.' })
  iat?: number;

  @ApiPropertyOptional({ format: 'uuid', description: 'The user or the service account.' })
  sub?: string;

  @ApiPropertyOptional({
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    description: 'The audiences. Check that yours is among them. For a refresh token: the issuer.',
  })
  aud?: string | readonly string[];

  @ApiPropertyOptional()
  iss?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  jti?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'The session. Only for users.' })
  sid?: string;

  @ApiPropertyOptional({ type: [String], description: 'The current roles. Only for users.' })
  roles?: readonly string[];

  @ApiPropertyOptional({
    description: 'When the user authenticated, in seconds since 1970. Only for users.',
  })
  auth_time?: number;

  @ApiPropertyOptional({
    type: [String],
    description: 'How the user authenticated (RFC 8176). Only for users.',
    example: ['pwd'],
  })
  amr?: readonly string[];
}

/** RFC 8414 section 2. */
export class MetadataResponse {
  @ApiProperty({ format: 'uri', example: 'https://keyslot.example.com' })
  issuer!: string;

  @ApiProperty({ format: 'uri' })
  token_endpoint!: string;

  @ApiProperty({ format: 'uri' })
  introspection_endpoint!: string;

  @ApiProperty({ format: 'uri' })
  revocation_endpoint!: string;

  @ApiProperty({ format: 'uri' })
  jwks_uri!: string;

  @ApiProperty({ type: [String], description: 'Empty: there is no authorization endpoint.' })
  response_types_supported!: readonly string[];

  @ApiProperty({ type: [String], example: ['client_credentials'] })
  grant_types_supported!: readonly string[];

  @ApiProperty({ type: [String] })
  token_endpoint_auth_methods_supported!: readonly string[];

  @ApiProperty({ type: [String] })
  token_endpoint_auth_signing_alg_values_supported!: readonly string[];

  @ApiProperty({ type: [String] })
  introspection_endpoint_auth_methods_supported!: readonly string[];

  @ApiProperty({ type: [String] })
  introspection_endpoint_auth_signing_alg_values_supported!: readonly string[];

  @ApiProperty({ type: [String] })
  revocation_endpoint_auth_methods_supported!: readonly string[];

  @ApiProperty({ type: [String] })
  revocation_endpoint_auth_signing_alg_values_supported!: readonly string[];
}
