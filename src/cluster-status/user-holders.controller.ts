import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../common/api-problems/index.js';
import { PERMISSION_PROBLEMS, RequirePermissions } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { EntityIdPipe } from '../common/validation/index.js';
import { NearCache } from '../near-cache/index.js';
import { userSubject } from '../user-slot/read/index.js';
import { HoldersResponse } from './dto/holders.response.dto.js';

@ApiTags('Administration')
@ApiParam({ name: 'id', format: 'uuid', description: 'The user.' })
@Controller('api/users/:id/holders')
export class UserHoldersController {
  constructor(private readonly cache: NearCache) {}

  @Get()
  @RequirePermissions('sessions:read')
  @ApiOperation({
    operationId: 'listUserHolders',
    summary: 'List the instances that may hold a user in memory',
    description:
      'The instances and services that a change of the user waits for. An instance stays on the list for up to an hour after its ' +
      'last look-up. A user who does not exist has none.',
  })
  @ApiOkResponse({ type: HoldersResponse, description: 'The holders.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'not-found')
  async listUserHolders(
    @Param('id', EntityIdPipe) userId: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<HoldersResponse> {
    const holders = await this.cache.holdersOf(userSubject(userId), deadline);
    return { items: holders.map((holderId) => ({ holderId })) };
  }
}
