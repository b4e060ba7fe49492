import type { ExecutionContext, Type } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/** Reads the metadata of a decorator on the method of a route, or else on its class. Cached, because it never changes. */
export class RouteMetadata<Value> {
  private readonly ofHandler = new WeakMap<object, Map<Type, Value | undefined>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly key: symbol,
  ) {}

  of(context: ExecutionContext): Value | undefined {
    const handler = context.getHandler();
    const controller = context.getClass();
    let ofController = this.ofHandler.get(handler);
    if (!ofController) {
      // Keyed by controller too, because controllers can inherit a method.
      ofController = new Map();
      this.ofHandler.set(handler, ofController);
    }
    if (!ofController.has(controller)) {
      const targets = [handler, controller];
      ofController.set(controller, this.reflector.getAllAndOverride(this.key, targets));
    }
    return ofController.get(controller);
  }
}
