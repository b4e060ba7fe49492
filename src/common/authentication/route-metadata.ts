import type { ExecutionContext, Type } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/** What a decorator says about a route, on its method or else on its class. It never changes, so it is read once. */
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
      // By controller too: a method may be inherited.
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
