import { createServer, type AddressInfo } from 'node:net';

/** @returns a free port on 127.0.0.1 */
export async function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
