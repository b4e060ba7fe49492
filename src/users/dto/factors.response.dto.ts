import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { Factor } from '../../user-slot/read/index.js';

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
