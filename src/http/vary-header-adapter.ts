import { FastifyAdapter } from '@nestjs/platform-fastify';

/** Nest's adapter, except that `@Header('Vary', …)` of a route appends to the value that @fastify/cors has set. */
export class VaryHeaderAdapter extends FastifyAdapter {
  override setHeader(
    ...[response, name, value]: Parameters<FastifyAdapter['setHeader']>
  ): ReturnType<FastifyAdapter['setHeader']> {
    const isVary = name.length === 4 && name.toLowerCase() === 'vary';
    const present = isVary ? response.getHeader(name) : undefined;
    return super.setHeader(
      response,
      name,
      present === undefined ? value : `${String(present)}, ${value}`,
    );
  }
}
