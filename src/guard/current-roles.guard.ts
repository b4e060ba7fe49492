import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type CanActivate,
  type ExecutionContext,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import {
  PERMISSION_REFUSALS,
  REQUIRED_PERMISSIONS,
  Roles,
  RouteMetadata,
  type Permission,
  type PermissionRefusal,
  type PermissionRefusals,
  type Principal,
} from '../common/authentication/index.js';
import { originOf } from '../common/origin/index.js';
import { Problem } from '../common/problem/index.js';

/** A route requires a permission that no role grants: it is misspelt, or a role is missing. */
export class UnknownPermissionError extends Error {
  override readonly name = 'UnknownPermissionError';
}

/**
 * Checks the permissions that a route requires, after JwtAuthGuard. It uses the current roles of the user (or the permissions
 * of the client), never the claims of the token. So a role change takes effect at the next request, and existing tokens stay
 * valid.
 */
@Injectable()
export class CurrentRolesGuard implements CanActivate, OnApplicationBootstrap {
  private readonly required: RouteMetadata<readonly Permission[]>;

  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly roles: Roles,
    @Optional()
    @Inject(PERMISSION_REFUSALS)
    private readonly refusals: PermissionRefusals = new LoggedRefusals(),
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
    if (!this.mayUse(request.user, required)) {
      this.refusals.record({ principal: request.user, required, origin: originOf(request) });
      throw new Problem('forbidden');
    }
    return true;
  }

  private mayUse(principal: Principal, required: readonly Permission[]): boolean {
    return principal.kind === 'user'
      ? this.roles.grant(principal.user.roles, required)
      : required.every((permission) => principal.permissions.includes(permission));
  }

  private checkRoutesOf(controller: Type<Record<string, () => unknown>>): void {
    const prototype = controller.prototype as Record<string, () => unknown>;
    for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
      const targets = [prototype[name]!, controller];
      const required =
        this.reflector.getAllAndOverride<Permission[] | undefined>(REQUIRED_PERMISSIONS, targets) ??
        [];
      const unknown = required.filter((permission) => !this.roles.isKnownPermission(permission));
      if (unknown.length > 0) {
        throw new UnknownPermissionError(
          `${controller.name}.${name} requires ${unknown.join(', ')}, which no role grants`,
        );
      }
    }
  }
}

/** For an application without AuditModule. */
class LoggedRefusals implements PermissionRefusals {
  private readonly logger = new Logger('Permissions');

  record({ required, origin }: PermissionRefusal): void {
    this.logger.log({ msg: 'A caller lacks a permission.', required, ...origin.facts });
  }
}
