import type { INestApplicationContext, Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ApiSecurity, type OpenAPIObject } from '@nestjs/swagger';

import { REQUIRED_PERMISSIONS, type Permission } from '../common/authentication/index.js';
import { isPublic, operationsOf, type OperationObject } from './operations.js';

/**
 * A requirement that is in no document in the end. Swagger's explorer puts those of a method behind those of its class,
 * inherited ones too: so the last one is what the guard asks for.
 */
const CARRIER = 'required-permissions';
const marked = new WeakSet<object>();

/** Lets the explorer carry what `@RequirePermissions()` says of classes and methods. */
export function markPermissions(app: INestApplicationContext): void {
  for (const { metatype } of app.get(DiscoveryService).getControllers()) {
    if (metatype) {
      const controller = metatype as Type<object>;
      mark(controller, (decorate) => decorate(controller));
      const prototype = controller.prototype as Record<string, object>;
      for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
        mark(prototype[name]!, (decorate, value) => decorate(prototype, name, { value }));
      }
    }
  }
}

function mark(
  target: object,
  apply: (decorate: ReturnType<typeof ApiSecurity>, target: object) => unknown,
): void {
  const permissions = Reflect.getMetadata(REQUIRED_PERMISSIONS, target) as Permission[] | undefined;
  if (permissions && !marked.has(target)) {
    marked.add(target);
    apply(ApiSecurity(CARRIER, permissions), target);
  }
}

/**
 * Names them in each operation: for people in its description, for programs as `x-required-permissions`. Not in its security
 * requirement, where OpenAPI 3.1 would allow names for any scheme, because tools that know 3.0 refuse them.
 */
export function documentPermissions(document: OpenAPIObject): void {
  for (const { operation } of operationsOf(document)) {
    const permissions = operation.security?.findLast((way) => CARRIER in way)?.[CARRIER];
    if (permissions) {
      putBackSecurity(operation);
      if (!isPublic(operation)) {
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
  return `Needs the permission${permissions.length === 1 ? '' : 's'} ${names}.`;
}

function putBackSecurity(operation: OperationObject): void {
  const security = operation.security?.filter((way) => !(CARRIER in way)) ?? [];
  if (security.length > 0) {
    operation.security = security;
  } else {
    delete operation.security;
  }
}
