import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';
import type { Factor } from '../../sessions/index.js';

export class FactorResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({
    example: 'totp',
    description:
      '`totp` (an authenticator application), `passkey`, `recovery-code` for all recovery codes, or the type of a factor that the ' +
      'application has added.',
  })
  type!: string;

  @ApiPropertyOptional({ example: 'My phone' })
  name?: string;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({
    format: 'date-time',
    type: String,
    nullable: true,
    description: 'The last login or reauthentication with it. null if there was none.',
  })
  lastUsedAt!: string | null;

  static from({ id, type, name, createdAt, lastUsedAt }: Factor): FactorResponse {
    return {
      id,
      type,
      ...(name === '' ? {} : { name }),
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    };
  }
}

export class FactorsResponse {
  @ApiProperty({ type: [FactorResponse] })
  items!: FactorResponse[];

  static from(factors: readonly Factor[]): FactorsResponse {
    return { items: factors.map((factor) => FactorResponse.from(factor)) };
  }
}

export class TotpEnrolmentResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ description: 'In base32, for an application that cannot scan.' })
  secret!: string;

  @ApiProperty({ description: 'For an application on the same device: `otpauth://totp/…`.' })
  uri!: string;

  @ApiProperty({ description: 'The URI as a QR code: an SVG document.' })
  qr!: string;
}

export class ConfirmTotpRequest {
  @ApiProperty({
    format: 'uuid',
    description: 'The id of the enrolment.',
    example: '0c0d2a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1',
  })
  @MatchesRule('id', isText)
  id!: string;

  @ApiProperty({ example: '287082', description: 'The code that the application shows.' })
  @MatchesRule('code', isText)
  code!: string;
}

export class RecoveryCodesResponse {
  @ApiProperty({ type: [String], minItems: 10, maxItems: 10 })
  codes!: readonly string[];
}
