import { createServer } from 'node:net';

/** Three masters with one replica each. */
const NODES = 6;
/** Each node also listens on its port plus this, for the cluster bus. */
const BUS_OFFSET = 10_000;
/** With higher ports, the bus ports would be in the ephemeral port range of the operating system. */
const MAX_PORT = 22_000;

export function portsFrom(firstPort: number, nodes = NODES): number[] {
  return Array.from({ length: nodes }, (_, index) => firstPort + index);
}

/** Returns the ports in use among those that a cluster with this first port needs. */
export async function busyPorts(firstPort: number, nodes = NODES): Promise<number[]> {
  const needed = portsFrom(firstPort, nodes).flatMap((port) => [port, port + BUS_OFFSET]);
  const free = await Promise.all(needed.map(isFree));
  return needed.filter((_, index) => !free[index]);
}

/** Returns the first of `firstPort`, `firstPort + 10`, … where all ports of a cluster are free. */
export async function findFreePorts(firstPort: number, nodes = NODES): Promise<number | undefined> {
  for (let candidate = firstPort; candidate + nodes <= MAX_PORT; candidate += 10) {
    if ((await busyPorts(candidate, nodes)).length === 0) {
      return candidate;
    }
  }
  return undefined;
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
