import { rmSync } from 'node:fs';

export default async function globalTeardown() {
  const { cluster, directory } = globalThis.testCluster;
  const logs = await Promise.all(
    cluster.addresses.map(async ({ port }) => ({
      port,
      log: await cluster.call(port, 'ACL', 'LOG'),
    })),
  );
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
  const refused = logs.filter(({ log }) => log !== '');
  if (refused.length > 0) {
    throw new Error(
      [
        'Redis refused something to the user that all tests run under (94). Its rights are in src/redis-cluster/acl.ts:',
        ...refused.map(({ port, log }) => `  node ${port}: ${log}`),
      ].join('\n'),
    );
  }
}
