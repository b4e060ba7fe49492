import type { AppSettings } from '../app.module.js';
import type { Settings } from '../config/index.js';
import type { Shutdown } from './shutdown.js';

/** Starts the embedded cluster unless the settings name nodes. Imports it only then. */
export async function withCluster(settings: Settings, shutdown: Shutdown): Promise<AppSettings> {
  const { nodes } = settings.redis;
  if (nodes) {
    return { ...settings, redis: { ...settings.redis, nodes } };
  }
  process.stdout.write('Starting the embedded Redis Cluster (six nodes) …\n');
  const { EmbeddedCluster } = await import('../embedded-cluster/index.js');
  const starting = EmbeddedCluster.start({ directory: `${settings.dataDirectory}/cluster` });
  shutdown.addStarting(starting);
  const { addresses, password } = await starting;
  return {
    ...settings,
    redis: {
      keyPrefix: settings.redis.keyPrefix,
      requireReplica: settings.redis.requireReplica,
      nodes: addresses,
      password,
    },
  };
}
