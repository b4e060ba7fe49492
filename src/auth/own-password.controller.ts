import { Body, Controller, HttpCode, Put, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import {
  CurrentUser,
  RequireUnlimitedToken,
  USER_PROBLEMS,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { BODY_PROBLEMS, invalidRequest } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { DeviceCookies } from '../credentials/index.js';
import { ChangePasswordRequest, ownUserProblem, UsersService } from '../users/index.js';

/** Separate from `OwnUserController`, because it needs `DeviceCookies`, which AuthModule provides. */
@ApiTags('Own user')
@RequireUnlimitedToken()
@Controller('api/user/password')
export class OwnPasswordController {
  constructor(
    private readonly users: UsersService,
    private readonly devices: DeviceCookies,
  ) {}

  @Put()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'changeOwnPassword',
    summary: 'Change your password',
    description:
      'Requires the current password, and with a second factor a login or a reauthentication within the last ten minutes ' +
      '(`POST /api/user/reauthentication`). All other sessions end at once. All device ' +
      'cookies of the user become invalid. The response sets a new one for this device.',
  })
  @ApiNoContentResponse({
    description: 'The password was changed.',
    headers: {
      'Set-Cookie': { description: 'Marks the device as known.', schema: { type: 'string' } },
    },
  })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...USER_PROBLEMS,
    'reauthentication-required',
    'wrong-password',
    'too-many-attempts',
    'overloaded',
    'not-confirmed',
  )
  async changePassword(
    @CurrentUser() principal: UserPrincipal,
    @Body() body: ChangePasswordRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const change = {
      current: new Secret(body.currentPassword),
      next: new Secret(body.newPassword),
    };
    const result = await this.users.changePassword(principal, change, origin, deadline);
    if (result.outcome === 'refused') {
      throw invalidRequest({ newPassword: result.failure });
    }
    if (result.outcome !== 'changed') {
      throw ownUserProblem(result);
    }
    void reply.header('Set-Cookie', this.devices.issue(result.user));
  }
}
