import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';

import { connectionOf } from './connections.js';

/** The guards of one application. @returns whether the call is accepted */
export type GuardsOfApplication = (context: ExecutionContext) => Promise<boolean>;

const guarded = new WeakSet<ExecutionContext>();
const guardsOfClass = new WeakMap<Type, Set<GuardsOfApplication>>();

/** The global guards have accepted this call. */
export function markAsGuarded(context: ExecutionContext): void {
  guarded.add(context);
}

export function addGuards(handlers: Type, guards: GuardsOfApplication): void {
  const known = guardsOfClass.get(handlers);
  guardsOfClass.set(handlers, known ? known.add(guards) : new Set([guards]));
}

export function removeGuards(handlers: Type, guards: GuardsOfApplication): void {
  guardsOfClass.get(handlers)?.delete(guards);
}

/**
 * A guard of every message handler. Nest applies global guards neither to gateways (Nest 11) nor to microservices that are
 * connected without `inheritAppConfig: true`. This guard applies them there. It is one object for all applications, because
 * applications share the classes to which it is added.
 */
export const messageGuard: CanActivate = {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!guarded.has(context) && !(await guardsOf(context)(context))) {
      return false;
    }
    if (context.getType() === 'ws') {
      connectionOf(context.getArgByIndex(0))?.closeWithAccess();
    }
    return true;
  },
};

function guardsOf(context: ExecutionContext): GuardsOfApplication {
  const handlers = context.getClass();
  const [guards, ...others] = guardsOfClass.get(handlers) ?? [];
  if (!guards || others.length > 0) {
    throw new Error(
      `The guard of ${handlers.name} is ambiguous, because ${others.length + 1} applications of this process have it. ` +
        'Connect microservices with inheritAppConfig: true.',
    );
  }
  return guards;
}
