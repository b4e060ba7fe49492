import { FastifyAdapter } from '@nestjs/platform-fastify';

/** Nest's adapter, but that `@Header('Vary', …)` of a route adds to what @fastify/cors has put there, and keeps it. */
export class VaryingAdapter extends FastifyAdapter {
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
