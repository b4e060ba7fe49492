import {
  Injectable,
  Logger,
  type CanActivate,
  type ExecutionContext,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import {
  ADMINISTRATOR,
  REQUIRED_PERMISSIONS,
  RouteMetadata,
  type Permission,
  type Principal,
} from '../common/authentication/index.js';
import { RoleReader } from '../roles/read/index.js';
import { PermissionCheck } from './permission-check.js';

/**
 * Checks the permissions that a route requires, after JwtAuthGuard. It uses current roles, so a role change takes effect at the
 * next request, and existing tokens stay valid.
 */
@Injectable()
export class CurrentRolesGuard implements CanActivate, OnApplicationBootstrap {
  private readonly logger = new Logger('Permissions');
  private readonly required: RouteMetadata<readonly Permission[]>;

  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly roles: RoleReader,
    private readonly permissions: PermissionCheck,
  ) {
    this.required = new RouteMetadata(reflector, REQUIRED_PERMISSIONS);
  }

  /** Does not wait: a service with the guard alone starts without Redis. */
  onApplicationBootstrap(): void {
    void this.warnOfUnknownPermissions();
  }

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const required = this.required.of(context);
    if (!required) {
      return true;
    }
    const request = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
    return this.permissions.require(request, required);
  }

  /** A permission that no role grants may be misspelt. It is no error, because a role can be stored at any time. */
  private async warnOfUnknownPermissions(): Promise<void> {
    const routes = this.discovery
      .getControllers()
      .flatMap(({ metatype }) =>
        metatype ? this.permissionsOf(metatype as Type<Record<string, () => unknown>>) : [],
      );
    const { defaults } = this.roles;
    if (routes.every(({ required }) => required.every((one) => defaults.isKnownPermission(one)))) {
      return;
    }
    const roles = await this.roles.untilLoaded();
    for (const { route, required } of roles ? routes : []) {
      const unknown = required.filter((permission) => !roles?.isKnownPermission(permission));
      if (unknown.length > 0) {
        this.logger.warn(
          `${route} requires ${unknown.join(', ')}, which no role grants except ${ADMINISTRATOR}.`,
        );
      }
    }
  }

  private permissionsOf(controller: Type<Record<string, () => unknown>>): RoutePermissions[] {
    const prototype = controller.prototype as Record<string, () => unknown>;
    return new MetadataScanner().getAllMethodNames(prototype).map((name) => ({
      route: `${controller.name}.${name}`,
      required:
        this.reflector.getAllAndOverride<Permission[] | undefined>(REQUIRED_PERMISSIONS, [
          prototype[name]!,
          controller,
        ]) ?? [],
    }));
  }
}

interface RoutePermissions {
  readonly route: string;
  readonly required: readonly Permission[];
}
