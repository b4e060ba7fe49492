import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import {
  PERMISSION_REFUSALS,
  Roles,
  type Permission,
  type PermissionRefusal,
  type PermissionRefusals,
  type Principal,
} from '../common/authentication/index.js';
import { originOf, truncated } from '../common/origin/index.js';
import { Problem } from '../common/problem/index.js';

/** Limits of a recorded refusal, because a request of a proxy can name any permissions. */
const MAX_RECORDED = 20;
const MAX_RECORDED_CHARACTERS = 100;

/** Decides whether the caller of a request has the required permissions, and records each refusal. */
@Injectable()
export class PermissionCheck {
  constructor(
    private readonly roles: Roles,
    @Optional()
    @Inject(PERMISSION_REFUSALS)
    private readonly refusals: PermissionRefusals = new LoggedRefusals(),
  ) {}

  /**
   * Requires all of the permissions. It uses the current roles of the user (or the permissions of the client), never the claims
   * of the token. Nobody has a permission that no role grants.
   *
   * @param request after JwtAuthGuard
   * @throws Problem `forbidden`
   */
  require(
    request: FastifyRequest & { readonly user: Principal },
    permissions: readonly Permission[],
  ): void {
    if (!this.mayUse(request.user, permissions)) {
      const required = permissions
        .slice(0, MAX_RECORDED)
        .map((name) => truncated(name, MAX_RECORDED_CHARACTERS));
      this.refusals.record({ principal: request.user, required, origin: originOf(request) });
      throw new Problem('forbidden');
    }
  }

  private mayUse(principal: Principal, required: readonly Permission[]): boolean {
    return principal.kind === 'user'
      ? this.roles.grant(principal.user.roles, required)
      : required.every((permission) => principal.permissions.includes(permission));
  }
}

/** For an application without AuditModule. */
class LoggedRefusals implements PermissionRefusals {
  private readonly logger = new Logger('Permissions');

  record({ required, origin }: PermissionRefusal): void {
    this.logger.log({ msg: 'A caller lacks a permission.', required, ...origin.facts });
  }
}
