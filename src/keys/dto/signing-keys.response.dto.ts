import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { KeySet } from '../write/index.js';

const STATES = ['published', 'signing', 'retired', 'withdrawn'] as const;

export class SigningKeyResponse {
  @ApiProperty({ format: 'uuid' })
  kid!: string;

  @ApiProperty({
    enum: STATES,
    description:
      '`published`: signs soon. `signing`: signs new tokens. `retired`: only verifies, until its last token has expired. ' +
      '`withdrawn`: no instance accepts its tokens.',
  })
  state!: (typeof STATES)[number];

  @ApiPropertyOptional({ format: 'date-time' })
  createdAt?: string;

  @ApiPropertyOptional({ format: 'date-time' })
  signsFrom?: string;

  @ApiPropertyOptional({ format: 'date-time' })
  signsUntil?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'When a retired key stops verifying, or a withdrawn key was withdrawn.',
  })
  removedAt?: string;
}

export class SigningKeysResponse {
  @ApiProperty({ type: [SigningKeyResponse] })
  items!: SigningKeyResponse[];

  static from({ published, signing, retired, withdrawn }: KeySet): SigningKeysResponse {
    return {
      items: [
        ...(published ? [{ ...timesOf(published), state: 'published' as const }] : []),
        { ...timesOf(signing), state: 'signing' },
        ...retired.map((key) => ({
          ...timesOf({ ...key, removedAt: key.removeAt }),
          state: 'retired' as const,
        })),
        ...Array.from(withdrawn, ([kid, removedAt]) => ({
          ...timesOf({ kid, removedAt }),
          state: 'withdrawn' as const,
        })),
      ],
    };
  }
}

interface KeyTimes {
  readonly kid: string;
  readonly createdAt?: number | undefined;
  readonly signsFrom?: number | undefined;
  readonly signsUntil?: number | undefined;
  readonly removedAt?: number | undefined;
}

function timesOf({
  kid,
  createdAt,
  signsFrom,
  signsUntil,
  removedAt,
}: KeyTimes): Omit<SigningKeyResponse, 'state'> {
  const times = { createdAt, signsFrom, signsUntil, removedAt };
  return {
    kid,
    ...Object.fromEntries(
      Object.entries(times).flatMap(([name, time]) =>
        time === undefined ? [] : [[name, new Date(time).toISOString()]],
      ),
    ),
  };
}
