import type { FastifyInstance } from 'fastify';

const PUBLIC_PATH = 'keyslotPublicPath';
/** Methods whose responses may have `Location`. GET is left out, so that the warm path has no extra hook. */
const WRITING = ['POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Adds the path prefix that a proxy strips to the paths in responses: `Location`, and `type` and `instance` of problems.
 *
 * @param publicPath such as `/keyslot`; empty: paths stay as they are
 */
export function addPublicPath(server: FastifyInstance, publicPath: string): void {
  server.decorate(PUBLIC_PATH, publicPath);
  if (publicPath === '') {
    return;
  }
  server.addHook('onRoute', (route) => {
    if (![route.method].flat().some((method) => WRITING.includes(method))) {
      return;
    }
    route.onSend = [route.onSend ?? []].flat().concat((_, reply, payload, done) => {
      const location = reply.getHeader('location');
      // `//host/…` is a URL of another host and stays as it is.
      if (typeof location === 'string' && /^\/(?!\/)/.test(location)) {
        void reply.header('location', `${publicPath}${location}`);
      }
      done(null, payload);
    });
  });
}

/** Empty on a server without this plugin, such as that of an application that uses only the guard. */
export function publicPathOf(server: FastifyInstance): string {
  return (server as { [PUBLIC_PATH]?: string })[PUBLIC_PATH] ?? '';
}
