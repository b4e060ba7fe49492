import {
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import {
  REQUIRED_PERMISSIONS,
  Roles,
  RouteMetadata,
  type Permission,
  type Principal,
} from '../common/authentication/index.js';
import { PermissionCheck } from './permission-check.js';

/** A route requires a permission that no role grants: it is misspelt, or a role is missing. */
export class UnknownPermissionError extends Error {
  override readonly name = 'UnknownPermissionError';
}

/**
 * Checks the permissions that a route requires, after JwtAuthGuard. It uses current roles, so a role change takes effect at the
 * next request, and existing tokens stay valid.
 */
@Injectable()
export class CurrentRolesGuard implements CanActivate, OnApplicationBootstrap {
  private readonly required: RouteMetadata<readonly Permission[]>;

  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly roles: Roles,
    private readonly permissions: PermissionCheck,
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
    if (required) {
      const request = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
      this.permissions.require(request, required);
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
      const unknown = required.filter((permission) => !this.roles.isKnownPermission(permission));
      if (unknown.length > 0) {
        throw new UnknownPermissionError(
          `${controller.name}.${name} requires ${unknown.join(', ')}, which no role grants`,
        );
      }
    }
  }
}
