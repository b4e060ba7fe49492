import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, HttpAdapterHost, MetadataScanner } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { takeUntil, type Observable } from 'rxjs';

import type { Principal } from '../common/authentication/index.js';
import { SessionWatch } from '../user-slot/read/index.js';

/** Keyed by server, because several applications in one process may have the same controllers. */
const watchOf = new WeakMap<object, SessionWatch>();
const ended = new WeakSet<object>();

const endWithSession: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { user, server } = context
      .switchToHttp()
      .getRequest<FastifyRequest & { user?: Principal }>();
    const watch = watchOf.get(server);
    // A client has no session.
    return user?.kind === 'user' && watch
      ? next.handle().pipe(takeUntil(watch.endOf(user)))
      : next.handle();
  },
};

/** Ends the streams of guarded `@Sse()` routes when their session ends. Other routes get no interceptor. */
@Injectable()
export class GuardedStreams {
  /** Done in the constructor, because Nest reads the interceptors of routes before it calls any `onModuleInit`. */
  constructor(
    discovery: DiscoveryService,
    { httpAdapter }: HttpAdapterHost<FastifyAdapter>,
    watch: SessionWatch,
  ) {
    const server: unknown = (httpAdapter as FastifyAdapter | undefined)?.getInstance();
    if (typeof server !== 'object' || server === null) {
      return; // The application has no HTTP server.
    }
    watchOf.set(server, watch);
    const scanner = new MetadataScanner();
    for (const { metatype } of discovery.getControllers()) {
      const prototype = metatype?.prototype as Record<string, object> | undefined;
      for (const name of prototype ? scanner.getAllMethodNames(prototype) : []) {
        const method = prototype![name]!;
        if (Reflect.getMetadata(SSE_METADATA, method) === true && !ended.has(method)) {
          ended.add(method);
          UseInterceptors(endWithSession)(prototype!, name, { value: method });
        }
      }
    }
  }
}
