import { rmSync } from 'node:fs';

export default async function globalTeardown() {
  const { cluster, directory } = globalThis.testCluster;
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
}
