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
        'Redis refused a command of the user of all tests (94). The rights of this user are in src/redis-cluster/acl.ts:',
        ...refused.map(({ port, log }) => `  node ${port}: ${log}`),
      ].join('\n'),
    );
  }
}
