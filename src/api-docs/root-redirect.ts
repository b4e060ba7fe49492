import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';

/** Patterns that answer for `/`. */
const ROOT = ['/', '/*', '*'];

/** Leads from `/` to Swagger UI, where there is one, unless a module of the application has something else there. */
@Injectable()
export class RootRedirect implements OnApplicationBootstrap {
  constructor(private readonly host: HttpAdapterHost<FastifyAdapter>) {}

  /** By now all routes are known. */
  onApplicationBootstrap(): void {
    // Typed as always there, but a command of the operator's has no HTTP server.
    const adapter = this.host.httpAdapter as FastifyAdapter | null;
    const server = adapter?.getInstance();
    if (!server) {
      return;
    }
    const has = (url: string): boolean => server.hasRoute({ method: 'GET', url });
    if (has('/docs') && !ROOT.some(has)) {
      // Relative: a proxy in front may have taken a prefix away.
      server.get('/', (_, reply) => reply.redirect('docs'));
    }
  }
}
