import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { AuditLog } from '../audit/index.js';
import {
  REQUIRED_PERMISSIONS,
  type Permission,
  type Principal,
} from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';
import { allow } from '../users/index.js';

/** Stands behind the JWT guard, and looks at the roles that the user has now, never at those that the token names. */
@Injectable()
export class PermissionsGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly audit: AuditLog,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const required = this.reflector.getAllAndOverride<readonly Permission[] | undefined>(
      REQUIRED_PERMISSIONS,
      [context.getHandler(), context.getClass()],
    );
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
