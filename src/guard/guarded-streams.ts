import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, HttpAdapterHost, type AbstractHttpAdapter } from '@nestjs/core';
import { takeUntil, type Observable } from 'rxjs';

import type { Principal } from '../common/authentication/index.js';
import { AccessWatch } from './access-watch.js';
import { interceptMethods } from './intercept-methods.js';

interface StreamRequest {
  readonly user?: Principal;
  /** The server of Fastify. */
  readonly server?: object;
  /** The application of Express. */
  readonly app?: object;
}

/** Keyed by server, because several applications in one process may have the same controllers. */
const watchOf = new WeakMap<object, AccessWatch>();

const endWithAccess: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { user, server, app } = context.getArgByIndex<StreamRequest>(0);
    const watch = watchOf.get(server ?? app!);
    return user && watch ? next.handle().pipe(takeUntil(watch.endOf(user))) : next.handle();
  },
};

/** Ends the streams of guarded `@Sse()` routes when the access of their caller ends. Other routes get no interceptor. */
@Injectable()
export class GuardedStreams {
  constructor(discovery: DiscoveryService, { httpAdapter }: HttpAdapterHost, watch: AccessWatch) {
    const server = (httpAdapter as AbstractHttpAdapter | undefined)?.getInstance<object>();
    if (!server) {
      return; // The application has no HTTP server.
    }
    watchOf.set(server, watch);
    interceptMethods(discovery.getControllers(), [SSE_METADATA, true], endWithAccess);
  }
}
