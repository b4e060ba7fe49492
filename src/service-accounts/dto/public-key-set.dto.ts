import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import { MAX_PUBLIC_KEYS } from '../write/index.js';

/** A public key for signatures (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2). */
export class PublicKeyBody {
  @ApiProperty({ enum: ['EC', 'OKP', 'RSA'] })
  kty!: string;

  @ApiPropertyOptional({ enum: ['P-256', 'Ed25519'] })
  crv?: string;

  @ApiPropertyOptional()
  x?: string;

  @ApiPropertyOptional()
  y?: string;

  @ApiPropertyOptional({ description: 'Modulus with 2048 to 4096 bits.' })
  n?: string;

  @ApiPropertyOptional({ enum: ['AQAB'] })
  e?: string;

  @ApiPropertyOptional({ maxLength: 200 })
  kid?: string;

  @ApiPropertyOptional({ enum: ['ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'] })
  alg?: string;

  @ApiPropertyOptional({ enum: ['sig'] })
  use?: string;
}

/** A JWK Set (RFC 7517 section 5). */
export class PublicKeySetBody {
  @ApiProperty({ type: [PublicKeyBody], maxItems: MAX_PUBLIC_KEYS })
  keys!: PublicKeyBody[];
}
