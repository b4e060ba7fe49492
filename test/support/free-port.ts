import { createServer, type AddressInfo } from 'node:net';

/** A port on 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
