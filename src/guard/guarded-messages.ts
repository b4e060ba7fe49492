import {
  Injectable,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type OnModuleDestroy,
  type Type,
} from '@nestjs/common';
import { EXCEPTION_FILTERS_METADATA, GUARDS_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

import { CurrentRolesGuard } from './current-roles.guard.js';
import { GlobalGuard } from './global.guard.js';
import { addGuards, messageGuard, removeGuards } from './message-guard.js';
import { messageProblems } from './message-problem.filter.js';

/** Keys of the decorators `@WebSocketGateway()` and `@MessagePattern()`, whose packages an application may not have. */
const GATEWAY_METADATA = 'websockets:is_gateway';
const PATTERN_METADATA = 'microservices:pattern';

/**
 * Guards the message handlers of gateways and microservices, also where Nest does not apply global guards, and answers refused
 * messages.
 */
@Injectable()
export class GuardedMessages implements OnModuleDestroy {
  readonly gateways: readonly Type[];
  private readonly classes: readonly Type[];

  /** Done in the constructor, because Nest reads the guards of handlers before it calls any `onModuleInit`. */
  constructor(
    discovery: DiscoveryService,
    private readonly global: GlobalGuard,
    private readonly roles: CurrentRolesGuard,
  ) {
    this.gateways = classesOf(discovery.getProviders()).filter((one) =>
      Reflect.hasMetadata(GATEWAY_METADATA, one),
    );
    for (const gateway of this.gateways) {
      guardTarget(gateway);
    }
    const controllers = classesOf(discovery.getControllers()).filter((controller) => {
      const handlers = methodsOf(controller).filter((method) =>
        Reflect.hasMetadata(PATTERN_METADATA, method),
      );
      handlers.forEach(guardTarget);
      return handlers.length > 0;
    });
    this.classes = [...this.gateways, ...controllers];
    this.classes.forEach((each) => addGuards(each, this.guard));
  }

  onModuleDestroy(): void {
    this.classes.forEach((each) => removeGuards(each, this.guard));
  }

  /** Applies the global guards. */
  readonly guard = async (context: ExecutionContext): Promise<boolean> =>
    Boolean(await this.global.canActivate(context)) &&
    Boolean(await this.roles.canActivate(context));
}

function classesOf(wrappers: ReturnType<DiscoveryService['getProviders']>): Type[] {
  const classes = wrappers.flatMap(({ metatype }) =>
    // Factories have no methods.
    metatype?.prototype === undefined ? [] : [metatype as Type],
  );
  return [...new Set(classes)];
}

function methodsOf({ prototype }: Type): object[] {
  const methods = prototype as Record<string, object>;
  return new MetadataScanner().getAllMethodNames(prototype as object).map((name) => methods[name]!);
}

/** Ours come first, so that guards of the application find the principal, and filters of the application replace ours. */
function guardTarget(target: object): void {
  prepend<CanActivate>(GUARDS_METADATA, messageGuard, target);
  prepend<ExceptionFilter>(EXCEPTION_FILTERS_METADATA, messageProblems, target);
}

function prepend<Enhancer>(key: string, enhancer: Enhancer, target: object): void {
  const others = (Reflect.getMetadata(key, target) as Enhancer[] | undefined) ?? [];
  if (!others.includes(enhancer)) {
    Reflect.defineMetadata(key, [enhancer, ...others], target);
  }
}
