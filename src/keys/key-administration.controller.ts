import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import { ApiProblems } from '../common/api-problems/index.js';
import { PERMISSION_PROBLEMS, RequirePermissions } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { BODY_PROBLEMS, Problem, STRAY_BODY_PROBLEMS } from '../common/problem/index.js';
import { EntityIdPipe } from '../common/validation/index.js';
import { RotateKeysRequest } from './dto/rotate-keys.request.dto.js';
import { SigningKeysResponse } from './dto/signing-keys.response.dto.js';
import { KeyAdministration } from './key-administration.js';

@ApiTags('Keys')
@Controller('api/keys')
export class KeyAdministrationController {
  constructor(private readonly keys: KeyAdministration) {}

  @Get()
  @RequirePermissions('keys:read')
  @ApiOperation({
    operationId: 'listSigningKeys',
    summary: 'List the signing keys',
    description:
      'The keys that verify tokens, and those that were withdrawn within the last 90 days.',
  })
  @ApiOkResponse({ type: SigningKeysResponse, description: 'The keys, without private parts.' })
  @ApiProblems(...PERMISSION_PROBLEMS)
  async listSigningKeys(
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<SigningKeysResponse> {
    return SigningKeysResponse.from(await this.keys.list(origin, deadline));
  }

  @Post()
  @HttpCode(200)
  @RequirePermissions('keys:write')
  @ApiOperation({
    operationId: 'rotateSigningKeys',
    summary: 'Replace the key that signs',
    description:
      'Publishes a new key, which signs 15 minutes later. The former key verifies until its last token has expired. Does nothing ' +
      'if a new key is published already, so repeating it is safe. At most ten keys can be published in this way.',
  })
  @ApiOkResponse({ type: SigningKeysResponse, description: 'The keys after the change.' })
  @ApiProblems(...BODY_PROBLEMS, ...PERMISSION_PROBLEMS, 'too-many-signing-keys', 'not-confirmed')
  async rotateSigningKeys(
    @Body() { replaces, now = false }: RotateKeysRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<SigningKeysResponse> {
    const result = await this.keys.rotate(replaces, now, origin, deadline);
    if (result.outcome === 'too-many-keys') {
      throw new Problem('too-many-signing-keys');
    }
    return SigningKeysResponse.from(result.keys);
  }

  @Delete(':kid')
  @HttpCode(204)
  @RequirePermissions('keys:write')
  @ApiParam({ name: 'kid', format: 'uuid', description: 'The key.' })
  @ApiOperation({
    operationId: 'withdrawSigningKey',
    summary: 'Withdraw a signing key',
    description:
      'No instance and no service with the guard accepts a token that this key has signed. If it is the key that signs, another ' +
      'key takes over in the same step. Clients get new tokens with their refresh tokens.',
  })
  @ApiNoContentResponse({ description: 'The key was withdrawn.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...PERMISSION_PROBLEMS, 'not-found', 'not-confirmed')
  async withdrawSigningKey(
    @Param('kid', EntityIdPipe) kid: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    if ((await this.keys.withdraw(kid, origin, deadline)) === 'unknown') {
      throw new Problem('not-found');
    }
  }
}
