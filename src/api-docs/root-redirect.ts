import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';

/** Route patterns that match `/`. */
const ROOT = ['/', '/*', '*'];

/** Redirects `/` to Swagger UI, if it is enabled and no module of the application serves `/`. */
@Injectable()
export class RootRedirect implements OnApplicationBootstrap {
  constructor(private readonly host: HttpAdapterHost<FastifyAdapter>) {}

  /** All routes are registered at this point. */
  onApplicationBootstrap(): void {
    // Typed as always present, but commands of the operator run without an HTTP server.
    const adapter = this.host.httpAdapter as FastifyAdapter | null;
    const server = adapter?.getInstance();
    if (!server) {
      return;
    }
    const has = (url: string): boolean => server.hasRoute({ method: 'GET', url });
    if (has('/docs') && !ROOT.some(has)) {
      // Relative, because a proxy may strip a prefix.
      server.get('/', (_, reply) => reply.redirect('docs'));
    }
  }
}
