import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { JWK } from 'jose';

import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { JWKS_MAX_AGE_SECONDS, KeyRing } from './read/index.js';

/** A public key, RFC 7517 section 4 and RFC 7518 section 6.2. */
class JwkResponse {
  @ApiProperty({ enum: ['EC'] })
  kty!: string;

  @ApiProperty({ enum: ['P-256'] })
  crv!: string;

  @ApiProperty({ example: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU' })
  x!: string;

  @ApiProperty({ example: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' })
  y!: string;

  @ApiProperty({ format: 'uuid', example: '0f8e1d5c-6c3e-4a57-9a3f-0f4e8a8d7f11' })
  kid!: string;

  @ApiProperty({ enum: ['ES256'] })
  alg!: string;

  @ApiProperty({ enum: ['sig'] })
  use!: string;
}

class JwkSetResponse {
  @ApiProperty({ type: [JwkResponse] })
  keys!: readonly JWK[];
}

@ApiTags('Keys')
@Controller('.well-known')
export class KeysController {
  constructor(private readonly keys: KeyRing) {}

  @Public()
  @Get('jwks.json')
  @Header('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
  @ApiOperation({
    operationId: 'getSigningKeys',
    summary: 'Read the public signing keys',
    description: 'A JWK Set (RFC 7517), for services that verify access tokens themselves.',
  })
  @ApiOkResponse({ type: JwkSetResponse, description: 'The keys.' })
  @ApiProblems('store-unavailable')
  async jwks(@RequestDeadline() deadline: Deadline): Promise<JwkSetResponse> {
    return (await this.keys.published(deadline)).jwks;
  }
}
