import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../../common/api-problems/index.js';
import { PERMISSION_PROBLEMS, RequirePermissions } from '../../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../../common/origin/index.js';
import { invalidRequest, Problem } from '../../common/problem/index.js';
import { AuditPageResponse } from '../dto/audit-page.response.dto.js';
import { ListAuditQuery } from '../dto/list-audit.query.dto.js';
import { TrailReading } from './trail-reading.js';

@ApiTags('Administration')
@Controller('api/audit')
export class TrailController {
  constructor(private readonly trail: TrailReading) {}

  @Get()
  @RequirePermissions('audit:read')
  @ApiOperation({
    operationId: 'listAuditEvents',
    summary: 'Read the audit trail',
    description:
      'The audit events of all instances, the newest first. An event is in the trail some milliseconds after its request was ' +
      'answered. All conditions must be met. A page may have fewer events than `limit` although there are more: read on until ' +
      '`nextCursor` is null. Each page that is read is an audit event itself.',
  })
  @ApiOkResponse({ type: AuditPageResponse, description: 'A page of audit events.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'invalid-request', 'audit-trail-not-supported')
  async listAuditEvents(
    @Query() { cursor, limit, user, type }: ListAuditQuery,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<AuditPageResponse> {
    const query = { userId: user?.toLowerCase(), type };
    const result = await this.trail.list(query, cursor, Number(limit), origin, deadline);
    switch (result.outcome) {
      case 'unknown-cursor':
        throw invalidRequest({ cursor: { code: 'unknown-cursor' } });
      case 'audit-trail-not-supported':
        throw new Problem('audit-trail-not-supported');
      case 'listed':
        return AuditPageResponse.from(result);
    }
  }
}
