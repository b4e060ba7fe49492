import type { INestApplicationContext, Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ApiSecurity, type OpenAPIObject } from '@nestjs/swagger';

import {
  IS_PUBLIC,
  REQUIRED_PERMISSIONS,
  REQUIRES_UNLIMITED_TOKEN,
  type Permission,
  type PublicAccess,
} from '../common/authentication/index.js';
import { describedProblems } from '../common/api-problems/index.js';
import { isPublic, operationsOf, type OperationObject } from './operations.js';

/**
 * A temporary security requirement that carries the permissions and is removed from the final document. Swagger's explorer
 * appends the requirements of a method to those of its class, so the last one is the one that the guard applies.
 */
const MARKER = 'required-permissions';
/** The same for routes that refuse tokens with a scope. */
const UNLIMITED_MARKER = 'unlimited-token';
const described = new WeakSet<object>();

/**
 * Describes `@ApiProblems()` and the decorators of the guard to Swagger: `@Public()`, `@OptionalToken()`,
 * `@RequirePermissions()` and `@RequireUnlimitedToken()`. Those of the guard do not do it themselves, so that a service with
 * the guard alone does not load Swagger.
 */
export function describeDecorators(app: INestApplicationContext): void {
  for (const { metatype } of app.get(DiscoveryService).getControllers()) {
    if (metatype) {
      const controller = metatype as Type<object>;
      describe(controller, (decorate) => decorate(controller));
      const prototype = controller.prototype as Record<string, object>;
      for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
        const value = prototype[name]!;
        describe(value, (decorate) => decorate(prototype, name, { value }));
      }
    }
  }
}

function describe(
  target: object,
  apply: (decorate: MethodDecorator & ClassDecorator) => unknown,
): void {
  if (described.has(target)) {
    return;
  }
  described.add(target);
  const access = Reflect.getMetadata(IS_PUBLIC, target) as PublicAccess | undefined;
  if (access) {
    apply(ApiSecurity({}));
  }
  if (access === 'token-optional') {
    apply(ApiSecurity('bearer'));
  }
  const permissions = Reflect.getMetadata(REQUIRED_PERMISSIONS, target) as Permission[] | undefined;
  if (permissions) {
    apply(ApiSecurity(MARKER, permissions));
  }
  if (Reflect.getMetadata(REQUIRES_UNLIMITED_TOKEN, target)) {
    apply(ApiSecurity(UNLIMITED_MARKER));
  }
  describedProblems(target).forEach(apply);
}

/**
 * Documents the permissions in the description and as `x-required-permissions`. OpenAPI 3.1 also allows them in the security
 * requirement, but tools for 3.0 reject that. Marks routes that refuse tokens with a scope with `x-requires-unlimited-token`.
 */
export function documentPermissions(document: OpenAPIObject): void {
  for (const { operation } of operationsOf(document)) {
    const permissions = operation.security?.findLast((way) => MARKER in way)?.[MARKER];
    const isUnlimited = operation.security?.some((way) => UNLIMITED_MARKER in way);
    if (permissions || isUnlimited) {
      putBackSecurity(operation);
      if (isUnlimited) {
        operation['x-requires-unlimited-token'] = true;
      }
      if (permissions && !isPublic(operation)) {
        operation['x-required-permissions'] = permissions;
        operation.description = [operation.description, permissionText(permissions)]
          .filter(Boolean)
          .join('\n\n');
      }
    }
  }
}

export function permissionText(permissions: readonly string[]): string {
  const names = permissions.map((name) => `\`${name}\``).join(' and ');
  return `Requires the permission${permissions.length === 1 ? '' : 's'} ${names}.`;
}

function putBackSecurity(operation: OperationObject): void {
  const security =
    operation.security?.filter((way) => !(MARKER in way || UNLIMITED_MARKER in way)) ?? [];
  if (security.length > 0) {
    operation.security = security;
  } else {
    delete operation.security;
  }
}
