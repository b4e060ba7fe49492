import { UseInterceptors, type NestInterceptor, type Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

const intercepted = new WeakSet<object>();

/**
 * Adds an interceptor to the methods that a decorator has marked. A method gets it once, because several applications in one
 * process may have the same classes. Call it in a constructor: Nest reads the interceptors of methods before it calls any
 * `onModuleInit`.
 *
 * @param value of the metadata
 * @returns the classes with such methods
 */
export function interceptMethods(
  classes: readonly { readonly metatype: unknown }[],
  [key, value]: readonly [key: string, value: unknown],
  interceptor: NestInterceptor,
): Type[] {
  const scanner = new MetadataScanner();
  const found = new Set<Type>();
  for (const { metatype } of classes) {
    const prototype = (metatype as Partial<Type> | null)?.prototype as
      Record<string, object> | undefined;
    for (const name of prototype ? scanner.getAllMethodNames(prototype) : []) {
      const method = prototype![name]!;
      if (Reflect.getMetadata(key, method) === value) {
        found.add(metatype as Type);
        if (!intercepted.has(method)) {
          intercepted.add(method);
          UseInterceptors(interceptor)(prototype!, name, { value: method });
        }
      }
    }
  }
  return [...found];
}
