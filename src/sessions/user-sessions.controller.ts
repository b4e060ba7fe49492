import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import {
  CurrentPrincipal,
  PERMISSION_PROBLEMS,
  RequirePermissions,
  type Principal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { Problem, STRAY_BODY_PROBLEMS } from '../common/problem/index.js';
import { EntityIdPipe } from '../common/validation/index.js';
import { administrationProblem, UserAdministration } from '../users/index.js';
import { SessionsResponse } from './dto/session.response.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Administration')
@ApiParam({ name: 'id', format: 'uuid', description: 'The user.' })
@Controller('api/users/:id/sessions')
export class UserSessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly administration: UserAdministration,
  ) {}

  @Get()
  @RequirePermissions('sessions:read')
  @ApiOperation({
    operationId: 'listUserSessions',
    summary: 'List the sessions of a user',
    description: 'Lists all live sessions of the user.',
  })
  @ApiOkResponse({ type: SessionsResponse, description: 'The sessions.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'not-found')
  async listUserSessions(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<SessionsResponse> {
    const sessions = await this.sessions.read(userId, origin, deadline);
    if (sessions === undefined) {
      throw new Problem('not-found');
    }
    const own = principal.kind === 'user' ? principal.sessionId : undefined;
    return SessionsResponse.from(sessions, own);
  }

  @Delete()
  @HttpCode(204)
  @RequirePermissions('sessions:write')
  @ApiOperation({
    operationId: 'endUserSessions',
    summary: 'End all sessions of a user',
    description:
      'No instance accepts any token of the user any more. The user can log in again. Only for users whose permissions do ' +
      'not exceed your own.',
  })
  @ApiNoContentResponse({ description: 'All sessions of the user have ended.' })
  @ApiProblems(
    ...STRAY_BODY_PROBLEMS,
    ...PERMISSION_PROBLEMS,
    'beyond-own-permissions',
    'not-found',
    'not-confirmed',
  )
  async endUserSessions(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) userId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.administration.endSessions(principal, userId, origin, deadline);
    if (result.outcome !== 'ended') {
      throw administrationProblem(result);
    }
  }
}
