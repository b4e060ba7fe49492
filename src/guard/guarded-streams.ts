import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import {
  DiscoveryService,
  HttpAdapterHost,
  MetadataScanner,
  type AbstractHttpAdapter,
} from '@nestjs/core';
import { takeUntil, type Observable } from 'rxjs';

import type { Principal } from '../common/authentication/index.js';
import { SessionWatch } from '../user-slot/read/index.js';

interface StreamRequest {
  readonly user?: Principal;
  /** The server of Fastify. */
  readonly server?: object;
  /** The application of Express. */
  readonly app?: object;
}

/** Keyed by server, because several applications in one process may have the same controllers. */
const watchOf = new WeakMap<object, SessionWatch>();
const ended = new WeakSet<object>();

const endWithSession: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { user, server, app } = context.getArgByIndex<StreamRequest>(0);
    const watch = watchOf.get(server ?? app!);
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
  constructor(discovery: DiscoveryService, { httpAdapter }: HttpAdapterHost, watch: SessionWatch) {
    const server = (httpAdapter as AbstractHttpAdapter | undefined)?.getInstance<object>();
    if (!server) {
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
