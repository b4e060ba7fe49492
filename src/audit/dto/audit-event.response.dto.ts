import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { AuditResult } from '../audit-event.js';
import type { TrailEvent } from '../trail/audit-trail.js';

const ACTORS = ['user', 'client', 'anonymous', 'operator', 'system'] as const;
const RESULTS = ['success', 'refused', 'failure'] as const satisfies AuditResult[];
const USER_EXAMPLE = '5f0c6a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1';

export class AuditActorResponse {
  @ApiProperty({
    enum: ACTORS,
    description:
      '`client`: a service account. `anonymous`: no valid token. `operator`: the command line. `system`: the instances.',
  })
  kind!: (typeof ACTORS)[number];

  @ApiPropertyOptional({ description: 'The id of the user or of the service account.' })
  id?: string;

  @ApiPropertyOptional({ description: 'The session in which the user acts.' })
  sessionId?: string;
}

export class AuditSubjectResponse {
  @ApiProperty({ enum: ['user', 'client'], description: '`client`: a service account.' })
  kind!: 'user' | 'client';

  @ApiProperty({ example: USER_EXAMPLE })
  id!: string;

  @ApiPropertyOptional({ description: 'The session that began, continued, or ended.' })
  sessionId?: string;
}

export class AuditEventResponse {
  @ApiProperty({ format: 'uuid', example: '019ae0d5-3f3a-7000-9a3b-6a5ad1b0f3c1' })
  id!: string;

  @ApiProperty({ example: 'access-changed' })
  type!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T09:30:00.000Z' })
  at!: string;

  @ApiPropertyOptional({
    enum: RESULTS,
    description:
      '`refused`: a rule forbids it. `failure`: it could not be completed. Only events of an application may have none.',
  })
  result?: AuditResult;

  @ApiPropertyOptional({ description: 'The reason, unless the result is `success`.' })
  reason?: string;

  @ApiPropertyOptional({
    type: AuditActorResponse,
    description: 'Who acted. Only events of an application may have none.',
  })
  actor?: AuditActorResponse;

  @ApiPropertyOptional({
    type: AuditSubjectResponse,
    description: 'Whom the event concerns; may be the actor.',
  })
  subject?: AuditSubjectResponse;

  @ApiPropertyOptional({ description: 'Replaces the user name that was sent.' })
  namePseudonym?: string;

  @ApiPropertyOptional({ example: '203.0.113.7', description: 'The address of the client.' })
  ip?: string;

  @ApiPropertyOptional({ description: 'The same as in the response and in the log.' })
  requestId?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { roles: ['admin'] },
    description: 'Further facts, which depend on the type.',
  })
  details?: Readonly<Record<string, unknown>>;

  static from(event: TrailEvent): AuditEventResponse {
    const { id, type, at, result, reason, namePseudonym, ip, requestId, details } = event;
    return {
      id,
      type,
      at: at.toISOString(),
      ...defined({
        result,
        reason,
        actor: actorOf(event),
        subject: subjectOf(event),
        namePseudonym,
        ip,
        requestId,
        details,
      }),
    };
  }
}

function actorOf({ actor, actorId, actorSessionId }: TrailEvent): AuditActorResponse | undefined {
  return actor && { kind: actor, ...defined({ id: actorId, sessionId: actorSessionId }) };
}

function subjectOf({ userId, clientId, sessionId }: TrailEvent): AuditSubjectResponse | undefined {
  const id = userId ?? clientId;
  const kind = userId === undefined ? 'client' : 'user';
  return id === undefined ? undefined : { kind, id, ...defined({ sessionId }) };
}

/** Without the members that are undefined. */
function defined<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Members]?: NonNullable<Members[Name]>;
  };
}
