import type { FastifyInstance } from 'fastify';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

import { routeConfig } from '../common/http/index.js';

/** Where Vite puts the page. Absent in a build without the page. */
const PAGE = new URL('./page/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};
/** QR codes are SVG documents in `data:` URLs. Scripts cannot write markup: they may create no Trusted Types. */
const CONFIG = routeConfig({
  contentSecurityPolicy:
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
});

export function hasConsolePage(): boolean {
  return existsSync(PAGE);
}

/**
 * Serves the console at `/console/`. All its links are relative, because a proxy may strip a prefix. The path of a view is in the
 * fragment of the URL, so browsers send it to no server. Names of assets contain a digest of their content.
 */
export function serveConsole(server: FastifyInstance): void {
  if (!hasConsolePage()) {
    return;
  }
  const document = readFileSync(new URL('index.html', PAGE), 'utf8');
  const folder = new URL('assets/', PAGE);
  const assets = new Map(
    readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder))]),
  );
  server.get('/console', { config: CONFIG }, (_, reply) => {
    void reply.redirect('console/');
  });
  server.get('/console/', { config: CONFIG }, (_, reply) => {
    void reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(document);
  });
  server.get<{ Params: { name: string } }>(
    '/console/assets/:name',
    { config: CONFIG },
    (request, reply) => {
      const asset = assets.get(request.params.name);
      if (!asset) {
        reply.callNotFound();
        return;
      }
      void reply
        .type(TYPES[extname(request.params.name)] ?? 'application/octet-stream')
        .header('cache-control', 'public, max-age=31536000, immutable')
        .send(asset);
    },
  );
}
