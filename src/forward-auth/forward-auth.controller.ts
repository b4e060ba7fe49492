import { All, Controller, HttpCode, HttpStatus, Req, Res } from '@nestjs/common';
import {
  ApiExcludeEndpoint,
  ApiExtension,
  ApiNoContentResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { PERMISSION_PROBLEMS, type Principal } from '../common/authentication/index.js';
import { FORWARD_AUTH_PATH, IgnoreBody } from '../common/http/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { PermissionCheck } from '../guard/index.js';
import { identityHeaders } from './identity-headers.js';
import { requiredPermissions } from './permission-parameters.js';

type GuardedRequest = FastifyRequest & { readonly user: Principal };

const header = (description: string) => ({ description, schema: { type: 'string' } as const });

/** For the proxy in front of other services. The request is a copy of a request to a service, mostly without its body. */
@ApiTags('Forward auth')
@IgnoreBody()
@Controller(FORWARD_AUTH_PATH)
export class ForwardAuthController {
  constructor(private readonly permissions: PermissionCheck) {}

  @All()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'checkForwardedRequest',
    summary: 'Check a request to another service',
    description:
      'A proxy (nginx, Traefik, Caddy, Envoy) asks this before it passes a request on, with the `Authorization` header of ' +
      'that request. Every method gives the same answer. So does every path below this one, but with status 200, for ' +
      'Envoy. Bodies and unknown query parameters are ignored.',
  })
  @ApiExtension('x-any-method', true)
  @ApiQuery({
    name: 'permission',
    required: false,
    isArray: true,
    type: String,
    description: 'A permission that the caller needs. May be repeated: all are required.',
  })
  @ApiNoContentResponse({
    description: 'The request may pass. The headers tell who sends it.',
    headers: {
      'X-Auth-Subject': header('Id of the user, or client id of the service account.'),
      'X-Auth-Session': header('Id of the session. Only for users.'),
      'X-Auth-Roles': header('The current roles of the user, separated by commas.'),
      'X-Auth-Username': header('Name of the user, as percent-encoded UTF-8. Only for users.'),
    },
  })
  @ApiProblems(...PERMISSION_PROBLEMS)
  authorize(
    @Req() request: GuardedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): void | Promise<void> {
    const isAllowed = this.permissions.require(request, requiredPermissions(request.url));
    return isAllowed === true ? identify(request, reply) : identifyWhen(isAllowed, request, reply);
  }

  /** For Envoy, which appends the path of the original request, and accepts no success except 200. */
  @All('*')
  @HttpCode(HttpStatus.OK)
  @ApiExcludeEndpoint()
  authorizeBelow(
    @Req() request: GuardedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): void | Promise<void> {
    return this.authorize(request, reply);
  }
}

function identify(request: GuardedRequest, reply: FastifyReply): void {
  void reply.headers(identityHeaders(request.user));
}

async function identifyWhen(
  isAllowed: Promise<true>,
  request: GuardedRequest,
  reply: FastifyReply,
): Promise<void> {
  await isAllowed;
  identify(request, reply);
}
