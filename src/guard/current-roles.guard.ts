import {
  Injectable,
  Logger,
  type CanActivate,
  type ExecutionContext,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';

import {
  ADMINISTRATOR,
  REQUIRED_PERMISSIONS,
  REQUIRES_UNLIMITED_TOKEN,
  RouteMetadata,
  WITHOUT_SECOND_FACTOR,
  type Permission,
} from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';
import { requestOf } from '../common/transport/index.js';
import { RoleReader } from '../roles/read/index.js';
import { guardProblem } from './guard-problem.js';
import { markAsGuarded } from './message-guard.js';
import { isLimited, PermissionCheck, type AuthenticatedRequest } from './permission-check.js';

/**
 * Checks the permissions and the token that a handler requires, and the second factor that a role of the user requires, after
 * JwtAuthGuard. It uses current roles, so a role change takes effect at the next request, and existing tokens stay valid.
 */
@Injectable()
export class CurrentRolesGuard implements CanActivate, OnApplicationBootstrap {
  private readonly logger = new Logger('Permissions');
  private readonly required: RouteMetadata<readonly Permission[]>;
  private readonly withoutSecondFactor: RouteMetadata<boolean>;
  private readonly unlimitedToken: RouteMetadata<boolean>;

  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly roles: RoleReader,
    private readonly permissions: PermissionCheck,
  ) {
    this.required = new RouteMetadata(reflector, REQUIRED_PERMISSIONS);
    this.withoutSecondFactor = new RouteMetadata(reflector, WITHOUT_SECOND_FACTOR);
    this.unlimitedToken = new RouteMetadata(reflector, REQUIRES_UNLIMITED_TOKEN);
  }

  /** Does not wait: a service with the guard alone starts without Redis. */
  onApplicationBootstrap(): void {
    void this.warnOfUnknownPermissions();
  }

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const isHttp = context.getType() === 'http';
    if (!isHttp) {
      markAsGuarded(context);
    }
    const required = this.required.of(context);
    const request = requestOf<Partial<AuthenticatedRequest>>(context);
    // A public route has no principal, and a guard of the application may set another one.
    if (
      isOurs(request) &&
      (isLimited(request.user) || this.permissions.mayLackSecondFactor(request.user))
    ) {
      return this.requireLater(request, required, context);
    }
    if (!required) {
      return true;
    }
    if (!request) {
      throw new Problem('forbidden');
    }
    const authenticated = request as AuthenticatedRequest;
    return isHttp
      ? this.permissions.require(authenticated, required)
      : this.requireLater(authenticated, required, context);
  }

  private async requireLater(
    request: AuthenticatedRequest,
    required: readonly Permission[] | undefined,
    context: ExecutionContext,
  ): Promise<true> {
    try {
      if (this.unlimitedToken.of(context) === true) {
        this.permissions.requireUnlimitedToken(request);
      }
      if (isOurs(request) && this.withoutSecondFactor.of(context) !== true) {
        await this.permissions.requireSecondFactor(request);
      }
      return required ? await this.permissions.require(request, required) : true;
    } catch (error) {
      throw guardProblem(error, context);
    }
  }

  /** A permission that no role grants may be misspelt. It is no error, because a role can be stored at any time. */
  private async warnOfUnknownPermissions(): Promise<void> {
    const classes = [...this.discovery.getControllers(), ...this.discovery.getProviders()];
    const routes = classes.flatMap(({ metatype }) =>
      // Factories have no methods.
      metatype?.prototype === undefined ? [] : this.permissionsOf(metatype as HandlerClass),
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
          `${route} requires ${unknown.join(', ')}, which no role grants except ${ADMINISTRATOR}. ` +
            'Check the spelling, or store a role that grants it: PUT /api/roles/{name} of Keyslot.',
        );
      }
    }
  }

  private permissionsOf(controller: HandlerClass): RoutePermissions[] {
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

function isOurs(
  request: Partial<AuthenticatedRequest> | undefined,
): request is AuthenticatedRequest {
  return request?.user?.kind === 'user';
}

type HandlerClass = Type<Record<string, () => unknown>>;

interface RoutePermissions {
  readonly route: string;
  readonly required: readonly Permission[];
}
