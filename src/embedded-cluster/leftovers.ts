import { Redis } from 'ioredis';

/**
 * Ends nodes that a killed run left behind. A node is ours when it lets us in with the password of our data folder;
 * anything else that listens there is left alone.
 */
export async function stopLeftovers(ports: readonly number[], password: string): Promise<void> {
  await Promise.all(ports.map((port) => stopLeftover(port, password)));
}

async function stopLeftover(port: number, password: string): Promise<void> {
  const control = new Redis({
    host: '127.0.0.1',
    port,
    password,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    connectTimeout: 1000,
  });
  control.on('error', () => undefined);
  try {
    await control.connect();
    const gone = new Promise<void>((resolve) => control.once('end', () => resolve()));
    // NOW: do not wait for replicas that are ended at the same time.
    control.call('SHUTDOWN', 'NOW').catch(() => undefined);
    await gone;
  } catch {
    // nobody there, or not ours
  } finally {
    control.disconnect();
  }
}
