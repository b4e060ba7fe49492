import type { Settings } from '../config/index.js';

/** An error that the operator can fix. */
export class CommandError extends Error {}

interface ClusterSettings {
  readonly redis: Settings['redis'];
  readonly dataDirectory: string;
}

/** @returns the nodes of the cluster. @throws CommandError when they are not set */
export function requireNodes({ redis, dataDirectory }: ClusterSettings): {
  readonly nodes: NonNullable<Settings['redis']['nodes']>;
} {
  const { nodes } = redis;
  if (!nodes) {
    throw new CommandError(
      'REDIS_NODES is required: addresses of nodes of the cluster. For the cluster of npm start: REDIS_NODES=127.0.0.1:7000 ' +
        `REDIS_PASSWORD="$(cat '${dataDirectory}/cluster/password')"`,
    );
  }
  return { nodes };
}
