import {
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { AuditLog } from '../audit/index.js';
import {
  REQUIRED_PERMISSIONS,
  RouteMetadata,
  type Permission,
  type Principal,
} from '../common/authentication/index.js';
import { originOf } from '../common/origin/index.js';
import { Problem } from '../common/problem/index.js';
import { Roles } from '../users/index.js';

/** A route asks for a permission that no role gives: a slip of the pen, or a role that was not added. */
export class UnknownPermissionError extends Error {
  override readonly name = 'UnknownPermissionError';
}

/** Stands behind the JWT guard, and looks at the roles that the user has now, never at those that the token names. */
@Injectable()
export class PermissionsGuard implements CanActivate, OnApplicationBootstrap {
  private readonly required: RouteMetadata<readonly Permission[]>;

  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly roles: Roles,
    private readonly audit: AuditLog,
  ) {
    this.required = new RouteMetadata(reflector, REQUIRED_PERMISSIONS);
  }

  /** @throws UnknownPermissionError */
  onApplicationBootstrap(): void {
    for (const { metatype } of this.discovery.getControllers()) {
      if (metatype) {
        this.checkRoutesOf(metatype as Type<Record<string, () => unknown>>);
      }
    }
  }

  canActivate(context: ExecutionContext): boolean {
    const required = this.required.of(context);
    if (!required) {
      return true;
    }
    const request = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
    const { userId, user } = request.user;
    if (!this.roles.allow(user.roles, required)) {
      this.audit.record({
        type: 'permission-refused',
        result: 'refused',
        reason: 'missing-permission',
        userId,
        ...originOf(request).facts,
        details: { required },
      });
      throw new Problem('forbidden');
    }
    return true;
  }

  private checkRoutesOf(controller: Type<Record<string, () => unknown>>): void {
    const prototype = controller.prototype as Record<string, () => unknown>;
    for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
      const targets = [prototype[name]!, controller];
      const required =
        this.reflector.getAllAndOverride<Permission[] | undefined>(REQUIRED_PERMISSIONS, targets) ??
        [];
      const unknown = required.filter((permission) => !this.roles.know(permission));
      if (unknown.length > 0) {
        throw new UnknownPermissionError(
          `${controller.name}.${name} requires ${unknown.join(', ')}, which no role gives`,
        );
      }
    }
  }
}
