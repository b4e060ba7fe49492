import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import { AuditLog } from '../audit/index.js';
import {
  CurrentUser,
  PERMISSION_PROBLEMS,
  RequirePermissions,
  type Principal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { ApiProblems, Problem, STRAY_BODY_PROBLEMS } from '../common/problem/index.js';
import { EntityIdPipe } from '../common/validation/index.js';
import { UsersService } from '../users/index.js';
import { SessionsResponse } from './dto/session.response.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Administration')
@ApiParam({ name: 'id', format: 'uuid', description: 'The user.' })
@Controller('api/users/:id/sessions')
export class UserSessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly users: UsersService,
    private readonly audit: AuditLog,
  ) {}

  @Get()
  @RequirePermissions('sessions:read')
  @ApiOperation({
    operationId: 'listUserSessions',
    summary: 'List the sessions of a user',
    description: 'Every login of the user that is still good.',
  })
  @ApiOkResponse({ type: SessionsResponse, description: 'The sessions.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'not-found')
  async listUserSessions(
    @CurrentUser() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<SessionsResponse> {
    if ((await this.users.find(userId, deadline)) === undefined) {
      throw new Problem('not-found');
    }
    return SessionsResponse.from(await this.sessions.list(userId, deadline), principal.sessionId);
  }

  @Delete()
  @HttpCode(204)
  @RequirePermissions('sessions:write')
  @ApiOperation({
    operationId: 'endUserSessions',
    summary: 'End all sessions of a user',
    description: 'No instance accepts any token of the user any more. The user can log in again.',
  })
  @ApiNoContentResponse({ description: 'All have ended.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...PERMISSION_PROBLEMS, 'not-found', 'not-confirmed')
  async endUserSessions(
    @CurrentUser() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    if (!(await this.sessions.endAll(userId, undefined, deadline))) {
      throw new Problem('not-found');
    }
    this.audit.record({ type: 'sessions-ended', userId, actorId: principal.userId });
  }
}
