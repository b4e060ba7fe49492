import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleDestroy,
  type Type,
} from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { map, type Observable } from 'rxjs';

import { IS_PUBLIC, RouteMetadata, type Principal } from '../common/authentication/index.js';
import { requestOf } from '../common/transport/index.js';
import { AccessWatch } from './access-watch.js';
import { EndingIterator } from './ending-iterator.js';
import { interceptMethods } from './intercept-methods.js';

/** The metadata of `@Subscription()`, whose package an application may not have. */
const SUBSCRIPTION = ['graphql:resolver_type', 'Subscription'] as const;

const isPublic = new RouteMetadata<boolean>(new Reflector(), IS_PUBLIC);
const watchesOf = new WeakMap<Type, Set<AccessWatch>>();

const endWithAccess: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const principal = requestOf<{ readonly user?: Principal }>(context)?.user;
    // Another subscription of the connection may have found the principal.
    if (!principal || isPublic.of(context) === true) {
      return next.handle();
    }
    const watch = watchOf(context.getClass());
    return next
      .handle()
      .pipe(
        map((values: unknown) =>
          isAsyncIterable(values)
            ? new EndingIterator(values[Symbol.asyncIterator](), watch.endOf(principal))
            : values,
        ),
      );
  },
};

/** Ends guarded GraphQL subscriptions when the access of their caller ends, on every transport. */
@Injectable()
export class GuardedSubscriptions implements OnModuleDestroy {
  private readonly resolvers: readonly Type[];

  constructor(
    discovery: DiscoveryService,
    private readonly watch: AccessWatch,
  ) {
    this.resolvers = interceptMethods(discovery.getProviders(), SUBSCRIPTION, endWithAccess);
    for (const resolver of this.resolvers) {
      watchesOf.set(resolver, (watchesOf.get(resolver) ?? new Set()).add(watch));
    }
  }

  onModuleDestroy(): void {
    this.resolvers.forEach((resolver) => watchesOf.get(resolver)?.delete(this.watch));
  }
}

function watchOf(resolver: Type): AccessWatch {
  const [watch, ...others] = watchesOf.get(resolver) ?? [];
  if (!watch || others.length > 0) {
    throw new Error(
      `The subscriptions of ${resolver.name} are ambiguous, because ${others.length + 1} applications of this process have them.`,
    );
  }
  return watch;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
