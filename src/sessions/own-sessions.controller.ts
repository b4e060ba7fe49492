import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import {
  CurrentUser,
  RequireRecentLogin,
  RequireUnlimitedToken,
  USER_PROBLEMS,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { Problem, STRAY_BODY_PROBLEMS } from '../common/problem/index.js';
import { EntityIdPipe } from '../common/validation/index.js';
import { SessionsResponse } from './dto/session.response.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Own sessions')
@RequireUnlimitedToken()
@Controller('api/user/sessions')
export class OwnSessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listOwnSessions',
    summary: 'List your sessions',
    description: 'Lists all live sessions, with the address and the user agent of each login.',
  })
  @ApiOkResponse({ type: SessionsResponse, description: 'Your sessions.' })
  @ApiProblems(...USER_PROBLEMS)
  async listOwnSessions(
    @CurrentUser() principal: UserPrincipal,
    @RequestDeadline() deadline: Deadline,
  ): Promise<SessionsResponse> {
    const sessions = await this.sessions.list(principal.userId, deadline);
    return SessionsResponse.from(sessions, principal.sessionId);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'endOwnSession',
    summary: 'End one of your sessions',
    description: 'After the response, no instance accepts the tokens of the session.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiNoContentResponse({ description: 'The session has ended.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...USER_PROBLEMS, 'not-found', 'not-confirmed')
  async endOwnSession(
    @CurrentUser() { userId }: UserPrincipal,
    @Param('id', EntityIdPipe) sessionId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    if (!(await this.sessions.end(userId, sessionId, origin, deadline))) {
      throw new Problem('not-found');
    }
  }

  @Delete()
  @HttpCode(204)
  @RequireRecentLogin()
  @ApiOperation({
    operationId: 'endOtherSessions',
    summary: 'End all your other sessions',
    description:
      'Only the session of this request stays live. Requires a login or a reauthentication within the last ten minutes ' +
      '(`POST /api/user/reauthentication`).',
  })
  @ApiNoContentResponse({ description: 'All other sessions have ended.' })
  @ApiProblems(
    ...STRAY_BODY_PROBLEMS,
    ...USER_PROBLEMS,
    'reauthentication-required',
    'not-confirmed',
  )
  async endOtherSessions(
    @CurrentUser() { userId, sessionId }: UserPrincipal,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    await this.sessions.endAll(userId, sessionId, origin, deadline);
  }
}
