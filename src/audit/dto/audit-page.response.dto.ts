import { ApiProperty } from '@nestjs/swagger';

import type { TrailPage } from '../trail/audit-trail.js';
import { AuditEventResponse } from './audit-event.response.dto.js';

export class AuditPageResponse {
  @ApiProperty({ type: [AuditEventResponse] })
  items!: AuditEventResponse[];

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'Send it as `cursor` for the next page. Null: there are no older events.',
  })
  nextCursor!: string | null;

  static from({ events, next }: TrailPage): AuditPageResponse {
    return {
      items: events.map((event) => AuditEventResponse.from(event)),
      nextCursor: next ?? null,
    };
  }
}
