import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../../common/api-problems/index.js';
import { PERMISSION_PROBLEMS, RequirePermissions } from '../../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../../common/origin/index.js';
import { invalidRequest, Problem } from '../../common/problem/index.js';
import { ListUsersQuery } from '../dto/list-users.query.dto.js';
import { UserPageResponse } from '../dto/user-page.response.dto.js';
import { ListedUsers } from './listed-users.js';

@ApiTags('Administration')
@Controller('api/users')
export class ListedUsersController {
  constructor(private readonly users: ListedUsers) {}

  @Get()
  @RequirePermissions('users:read')
  @ApiOperation({
    operationId: 'listUsers',
    summary: 'List and search users',
    description:
      'In the order of their names, without regard to case, by code point. With `q`, users whose name begins with it come first, ' +
      'then those whose e-mail address does. ' +
      'All conditions must be met. A page may have fewer users than `limit` although there are more: read on until `nextCursor` ' +
      'is null. `nextCursor` contains the name or the address of the last user of the page. A new user is listed when the ' +
      'registration has returned.',
  })
  @ApiOkResponse({ type: UserPageResponse, description: 'A page of users.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'invalid-request', 'listing-not-supported')
  async listUsers(
    @Query() { cursor, limit, q, role, disabled }: ListUsersQuery,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<UserPageResponse> {
    const query = {
      prefix: q,
      role,
      isDisabled: disabled === undefined ? undefined : disabled === 'true',
    };
    const result = await this.users.list(query, cursor, Number(limit), origin, deadline);
    switch (result.outcome) {
      case 'unknown-cursor':
        throw invalidRequest({ cursor: { code: 'unknown-cursor' } });
      case 'listing-not-supported':
        throw new Problem('listing-not-supported');
      case 'listed':
        return UserPageResponse.from(result);
    }
  }
}
