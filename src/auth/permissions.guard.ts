import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { AuditLog } from '../audit/index.js';
import {
  REQUIRED_PERMISSIONS,
  RouteMetadata,
  type Permission,
  type Principal,
} from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';
import { allow } from '../users/index.js';

/** Stands behind the JWT guard, and looks at the roles that the user has now, never at those that the token names. */
@Injectable()
export class PermissionsGuard implements CanActivate {
  private readonly required: RouteMetadata<readonly Permission[]>;

  constructor(
    reflector: Reflector,
    private readonly audit: AuditLog,
  ) {
    this.required = new RouteMetadata(reflector, REQUIRED_PERMISSIONS);
  }

  canActivate(context: ExecutionContext): boolean {
    const required = this.required.of(context);
    if (!required) {
      return true;
    }
    const request = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
    const { userId, user } = request.user;
    if (!allow(user.roles, required)) {
      this.audit.record({ type: 'permission-refused', userId, details: { required } });
      throw new Problem('forbidden');
    }
    return true;
  }
}
