import type { FastifyInstance } from 'fastify';

const PUBLIC_PATH = 'keyslotPublicPath';
/** Methods whose answers name what they made. A GET that memory answers gets no hook. */
const WRITING = ['POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Makes the paths in answers those that clients see, where a proxy in front takes a prefix away: the `type` and `instance` of
 * problems, and `Location`.
 *
 * @param publicPath `/keyslot`, or nothing: paths stay as they are
 */
export function answerUnder(server: FastifyInstance, publicPath: string): void {
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
      // A path, and not another host.
      if (typeof location === 'string' && /^\/(?!\/)/.test(location)) {
        void reply.header('location', `${publicPath}${location}`);
      }
      done(null, payload);
    });
  });
}

/** Of an application that is not ours: none. */
export function publicPathOf(server: FastifyInstance): string {
  return (server as { [PUBLIC_PATH]?: string })[PUBLIC_PATH] ?? '';
}
