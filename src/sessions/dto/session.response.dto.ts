import { ApiProperty } from '@nestjs/swagger';

import type { Session } from '../../user-slot/read/index.js';

export class SessionResponse {
  @ApiProperty({ format: 'uuid', example: '0c0d2a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1' })
  id!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T09:30:00.000Z' })
  createdAt!: string;

  @ApiProperty({
    format: 'date-time',
    description: 'Accurate to a minute.',
    example: '2026-11-23T09:30:00.000Z',
  })
  lastUsedAt!: string;

  @ApiProperty({ description: 'The IP address of the login.', example: '203.0.113.7' })
  ip!: string;

  @ApiProperty({ example: 'Mozilla/5.0 (X11; Linux x86_64)' })
  userAgent!: string;

  @ApiProperty({ description: 'Whether it is the session of this request.', example: true })
  current!: boolean;
}

export class SessionsResponse {
  @ApiProperty({ type: [SessionResponse] })
  items!: SessionResponse[];

  static from(sessions: readonly Session[], currentId: string | undefined): SessionsResponse {
    return {
      items: sessions.map((session) => ({
        id: session.id,
        createdAt: session.createdAt.toISOString(),
        lastUsedAt: session.lastUsedAt.toISOString(),
        ip: session.ip,
        userAgent: session.userAgent,
        current: session.id === currentId,
      })),
    };
  }
}
