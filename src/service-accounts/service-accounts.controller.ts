import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { ApiProblems } from '../common/api-problems/index.js';
import {
  CurrentPrincipal,
  PERMISSION_PROBLEMS,
  RequirePermissions,
  type Principal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import {
  BODY_PROBLEMS,
  Problem,
  STRAY_BODY_PROBLEMS,
  type ProblemCode,
} from '../common/problem/index.js';
import { EntityIdPipe } from '../common/validation/index.js';
import { ChangeServiceAccountRequest } from './dto/change-service-account.request.dto.js';
import { CreateServiceAccountRequest } from './dto/create-service-account.request.dto.js';
import {
  NewSecretResponse,
  NewServiceAccountResponse,
  ServiceAccountResponse,
  ServiceAccountsResponse,
} from './dto/service-account.response.dto.js';
import { ServiceAccountAdministration } from './service-account-administration.js';
import { accountProblem } from './service-accounts.problems.js';

const ID = { name: 'id', format: 'uuid', description: 'The service account.' } as const;
const LOCATION = {
  headers: { Location: { description: 'The path of the account.', schema: { type: 'string' } } },
} as const;
const CHANGE_PROBLEMS = [
  ...PERMISSION_PROBLEMS,
  'beyond-own-permissions',
  'not-found',
  'not-confirmed',
] as const satisfies ProblemCode[];

/** Callers can be users and service accounts. */
@ApiTags('Service accounts')
@Controller('api/service-accounts')
export class ServiceAccountsController {
  constructor(private readonly accounts: ServiceAccountAdministration) {}

  @Get()
  @RequirePermissions('service-accounts:read')
  @ApiOperation({
    operationId: 'listServiceAccounts',
    summary: 'List the service accounts',
    description: 'All service accounts, the oldest first, without their secrets.',
  })
  @ApiOkResponse({ type: ServiceAccountsResponse, description: 'The service accounts.' })
  @ApiProblems(...PERMISSION_PROBLEMS)
  async listServiceAccounts(
    @RequestDeadline() deadline: Deadline,
  ): Promise<ServiceAccountsResponse> {
    const accounts = await this.accounts.list(deadline);
    return { items: accounts.map((account) => ServiceAccountResponse.from(account)) };
  }

  @Post()
  @RequirePermissions('service-accounts:write')
  @ApiOperation({
    operationId: 'createServiceAccount',
    summary: 'Create a service account',
    description:
      'For a service that acts for itself. Only the response shows its secret. Only with permissions that you have yourself.',
  })
  @ApiCreatedResponse({ type: NewServiceAccountResponse, description: 'The account.', ...LOCATION })
  @ApiProblems(
    ...BODY_PROBLEMS,
    ...PERMISSION_PROBLEMS,
    'beyond-own-permissions',
    'name-taken',
    'too-many-service-accounts',
    'not-confirmed',
  )
  async createServiceAccount(
    @CurrentPrincipal() principal: Principal,
    @Body() body: CreateServiceAccountRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<NewServiceAccountResponse> {
    const result = await this.accounts.create(principal, body, origin, deadline);
    if (result.outcome !== 'created') {
      throw accountProblem(result);
    }
    void reply.header('Location', `${reply.request.routeOptions.url}/${result.account.id}`);
    return NewServiceAccountResponse.fromNew(result.account, result.secret);
  }

  @Get(':id')
  @RequirePermissions('service-accounts:read')
  @ApiParam(ID)
  @ApiOperation({
    operationId: 'getServiceAccount',
    summary: 'Read a service account',
    description: 'Any service account, by id, without its secrets.',
  })
  @ApiOkResponse({ type: ServiceAccountResponse, description: 'The service account.' })
  @ApiProblems(...PERMISSION_PROBLEMS, 'not-found')
  async readServiceAccount(
    @Param('id', EntityIdPipe) id: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<ServiceAccountResponse> {
    const account = await this.accounts.find(id, deadline);
    if (account === undefined) {
      throw new Problem('not-found');
    }
    return ServiceAccountResponse.from(account);
  }

  @Patch(':id')
  @RequirePermissions('service-accounts:write')
  @ApiParam(ID)
  @ApiOperation({
    operationId: 'updateServiceAccount',
    summary: 'Change a service account',
    description:
      'Omitted members stay unchanged. Takes effect at once on every instance and in every service with the guard, also for ' +
      'existing tokens. You can only change accounts within your own permissions, before and after the change.',
  })
  @ApiOkResponse({ type: ServiceAccountResponse, description: 'The account after the change.' })
  @ApiProblems(...BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'name-taken')
  async changeServiceAccount(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) id: string,
    @Body() { disabled, ...members }: ChangeServiceAccountRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<ServiceAccountResponse> {
    const change = { ...members, isDisabled: disabled };
    const result = await this.accounts.change(principal, id, change, origin, deadline);
    if (result.outcome !== 'changed') {
      throw accountProblem(result);
    }
    return ServiceAccountResponse.from(result.account);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermissions('service-accounts:write')
  @ApiParam(ID)
  @ApiOperation({
    operationId: 'deleteServiceAccount',
    summary: 'Delete a service account',
    description:
      'No instance accepts its tokens and secrets any more, and the name becomes free. You can only delete accounts within ' +
      'your own permissions.',
  })
  @ApiNoContentResponse({ description: 'The service account was deleted.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...CHANGE_PROBLEMS)
  async deleteServiceAccount(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) id: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.accounts.delete(principal, id, origin, deadline);
    if (result.outcome !== 'deleted') {
      throw accountProblem(result);
    }
  }

  @Post(':id/secrets')
  @RequirePermissions('service-accounts:write')
  @ApiParam(ID)
  @ApiOperation({
    operationId: 'createClientSecret',
    summary: 'Create a second secret',
    description:
      'To replace a secret without an interruption: create the new one, use it everywhere, and delete the old one. Only the ' +
      'response shows it. An account has at most two.',
  })
  @ApiCreatedResponse({ type: NewSecretResponse, description: 'The secret.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'too-many-secrets')
  async createClientSecret(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) id: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<NewSecretResponse> {
    const result = await this.accounts.addSecret(principal, id, origin, deadline);
    if (result.outcome !== 'created') {
      throw accountProblem(result);
    }
    return NewSecretResponse.fromSecret(result.secret);
  }

  @Delete(':id/secrets/:secretId')
  @HttpCode(204)
  @RequirePermissions('service-accounts:write')
  @ApiParam(ID)
  @ApiParam({ name: 'secretId', format: 'uuid', description: 'The secret.' })
  @ApiOperation({
    operationId: 'deleteClientSecret',
    summary: 'Delete a secret',
    description:
      'No instance accepts it any more. Tokens that were issued stay valid until they expire. To end them as well, disable the ' +
      'account and enable it again.',
  })
  @ApiNoContentResponse({ description: 'The secret was deleted.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...CHANGE_PROBLEMS)
  async deleteClientSecret(
    @CurrentPrincipal() principal: Principal,
    @Param('id', EntityIdPipe) id: string,
    @Param('secretId', EntityIdPipe) secretId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.accounts.removeSecret(principal, id, secretId, origin, deadline);
    if (result.outcome !== 'deleted') {
      throw accountProblem(result);
    }
  }
}
