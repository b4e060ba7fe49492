import type { Redis } from 'ioredis';

/** @returns `host:port` of the node at the other end of a connection */
export function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
