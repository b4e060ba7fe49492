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
    const server = this.host.httpAdapter.getInstance();
    const has = (url: string): boolean => server.hasRoute({ method: 'GET', url });
    if (has('/docs') && !ROOT.some(has)) {
      // Relative: a proxy in front may have taken a prefix away.
      server.get('/', (_, reply) => reply.redirect('docs'));
    }
  }
}
