import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { Problem } from '../common/problem/index.js';

/**
 * Refuses requests of other sites (OWASP ASVS V3.5.1), because a cookie authenticates them. `Sec-Fetch-Site` decides. Without it, as in
 * older browsers, `Origin` must name the host of the request. Browsers send one of them with every POST and DELETE.
 */
@Injectable()
export class SameOriginGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers, host } = context.switchToHttp().getRequest<FastifyRequest>();
    const site = headers['sec-fetch-site'];
    const isSameOrigin =
      site === undefined ? hostOf(headers.origin) === host : site === 'same-origin';
    if (!isSameOrigin) {
      throw new Problem('forbidden');
    }
    return true;
  }
}

function hostOf(origin: string | undefined): string | undefined {
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).host : undefined;
}
