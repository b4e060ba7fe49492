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
  ADMINISTRATOR,
  PERMISSION_REFUSALS,
  REQUIRED_PERMISSIONS,
  RouteMetadata,
  type Permission,
  type PermissionRefusal,
  type PermissionRefusals,
  type Principal,
} from '../common/authentication/index.js';
import { deadlineOf } from '../common/deadline/index.js';
import { originOf } from '../common/origin/index.js';
import { Problem } from '../common/problem/index.js';
import { RoleReader } from '../roles/read/index.js';

/** As short as the deadline of a read request, because other requests may share the look-up. */
const LOOKUP_TIMEOUT_MS = 1800;

/**
 * Checks the permissions that a route requires, after JwtAuthGuard. It uses the current roles of the user and their current
 * permissions (or the permissions of the client), never the claims of the token. So a change takes effect at the next request,
 * and existing tokens stay valid. It decides synchronously while the roles are in memory.
 */
@Injectable()
export class CurrentRolesGuard implements CanActivate, OnApplicationBootstrap {
  private readonly logger = new Logger('Permissions');
  private readonly required: RouteMetadata<readonly Permission[]>;

  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly roles: RoleReader,
    @Optional()
    @Inject(PERMISSION_REFUSALS)
    private readonly refusals: PermissionRefusals = new LoggedRefusals(),
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
    const isAllowed = this.mayUse(request, required);
    return typeof isAllowed === 'boolean'
      ? this.decide(isAllowed, request, required)
      : isAllowed.then((loaded) => this.decide(loaded, request, required));
  }

  private mayUse(
    request: FastifyRequest & { readonly user: Principal },
    required: readonly Permission[],
  ): boolean | Promise<boolean> {
    const principal = request.user;
    if (principal.kind === 'client') {
      return required.every((permission) => principal.permissions.includes(permission));
    }
    const { roles } = principal.user;
    // Built in, so it also counts while the stored roles cannot be read.
    if (roles.includes(ADMINISTRATOR)) {
      return true;
    }
    const known = this.roles.recall();
    return known ? known.grant(roles, required) : this.askWhether(request, roles, required);
  }

  private async askWhether(
    request: FastifyRequest,
    roles: readonly string[],
    required: readonly Permission[],
  ): Promise<boolean> {
    const deadline = deadlineOf(request).within(LOOKUP_TIMEOUT_MS);
    return (await this.roles.current(deadline)).grant(roles, required);
  }

  private decide(
    isAllowed: boolean,
    request: FastifyRequest & { readonly user: Principal },
    required: readonly Permission[],
  ): true {
    if (!isAllowed) {
      this.refusals.record({ principal: request.user, required, origin: originOf(request) });
      throw new Problem('forbidden');
    }
    return true;
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

/** For an application without AuditModule. */
class LoggedRefusals implements PermissionRefusals {
  private readonly logger = new Logger('Permissions');

  record({ required, origin }: PermissionRefusal): void {
    this.logger.log({ msg: 'A caller lacks a permission.', required, ...origin.facts });
  }
}
