import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedCluster } from '../../dist/embedded-cluster/index.js';

/** One real cluster for all test files; each application under test has a key prefix of its own. */
export default async function globalSetup() {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-test-'));
  const cluster = await EmbeddedCluster.start({ directory, firstPort: 12_000 });
  globalThis.testCluster = { cluster, directory };
  process.env.TEST_REDIS_NODES = cluster.addresses
    .map(({ host, port }) => `${host}:${port}`)
    .join(',');
  process.env.TEST_REDIS_PASSWORD = cluster.password.reveal();
}
