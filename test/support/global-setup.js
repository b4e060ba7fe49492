import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Secret } from '../../dist/common/secret/index.js';
import { EmbeddedCluster } from '../../dist/embedded-cluster/index.js';
import { REDIS_ADMINISTRATOR, REDIS_REPLICA } from '../../dist/redis-cluster/index.js';

/** Every application under test has its own key prefix, which begins with this text. */
const KEY_PREFIX = 't-';

/**
 * Starts one real cluster for all test files, with a Redis user of least privilege for all applications under test (94). The
 * teardown fails if Redis has refused a command of that user.
 */
export default async function globalSetup() {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-test-'));
  const password = randomBytes(24).toString('base64url');
  const user = { REDIS_USERNAME: 'keyslot-tests', REDIS_PASSWORD: password };
  const replicaPassword = new Secret(randomBytes(24).toString('base64url'));
  // The operator's command prints the users. It runs once, because it starts a process.
  let lines;
  const cluster = await EmbeddedCluster.start({
    directory,
    firstPort: 12_000,
    users: {
      lines: (administratorPassword) =>
        (lines ??= printedFor({
          ...user,
          REDIS_KEY_PREFIX: KEY_PREFIX,
          REDIS_ADMIN_PASSWORD: administratorPassword.reveal(),
          REDIS_REPLICA_PASSWORD: replicaPassword.reveal(),
        })),
      administrator: REDIS_ADMINISTRATOR,
      replica: { username: REDIS_REPLICA, password: replicaPassword },
    },
  });
  globalThis.testCluster = { cluster, directory };
  process.env.TEST_REDIS_NODES = cluster.addresses
    .map(({ host, port }) => `${host}:${port}`)
    .join(',');
  process.env.TEST_REDIS_USERNAME = user.REDIS_USERNAME;
  process.env.TEST_REDIS_PASSWORD = password;
  process.env.TEST_REDIS_ADMIN_USERNAME = REDIS_ADMINISTRATOR;
  process.env.TEST_REDIS_ADMIN_PASSWORD = cluster.password.reveal();
}

/** The lines that the operator's command prints for an ACL file. */
function printedFor(variables) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('dist/cli.js'), 'redis-acl', '--file'],
    { cwd: tmpdir(), env: { PATH: process.env.PATH, ...variables }, encoding: 'utf8' },
  );
  if (status !== 0) {
    throw new Error(`redis-acl failed: ${stderr}`);
  }
  return stdout.trim().split('\n');
}
