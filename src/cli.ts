import { Shutdown } from './bootstrap/shutdown.js';
import { endAllSessions } from './cli/end-all-sessions.js';
import { printRedisAcl } from './cli/redis-acl.js';
import { loadSettings, SettingsError } from './config/index.js';
import { EmbeddedCluster, EmbeddedClusterError } from './embedded-cluster/index.js';

const USAGE = `Usage: node dist/cli.js <command>

Commands:
  cluster             Run the six-node Redis Cluster alone, on ports 7000 to 7005, until Ctrl-C.
  redis-acl [--file]  Print the Redis user with the least rights, for redis-cli or for a file of users.
                      From REDIS_USERNAME (default keyslot), REDIS_PASSWORD and REDIS_KEY_PREFIX.
  end-all-sessions    End every session of every user, at once and for good, also while instances run.
                      With the settings of an instance. Its Redis user needs the right +scan as well.
  help                Show this text.
`;

async function runCluster(): Promise<void> {
  const shutdown = new Shutdown();
  try {
    const { dataDirectory } = loadSettings();
    const starting = EmbeddedCluster.start({
      directory: `${dataDirectory}/cluster`,
      whenPortsAreBusy: 'stop',
    });
    shutdown.addStarting(starting);
    const cluster = await starting;
    process.stdout.write(
      [
        'The Redis Cluster is ready. Use it with:',
        `  REDIS_NODES=127.0.0.1:${cluster.addresses[0]?.port} REDIS_PASSWORD="$(cat '${cluster.passwordFile}')" npm start`,
        '',
      ].join('\n'),
    );
  } catch (error) {
    if (error instanceof EmbeddedClusterError || error instanceof SettingsError) {
      process.stderr.write(`${error.message}\n`);
      await shutdown.run(1);
    }
    throw error;
  }
}

const [command = 'help', ...options] = process.argv.slice(2);
switch (command) {
  case 'cluster':
    await runCluster();
    break;
  case 'redis-acl':
    printRedisAcl(options);
    break;
  case 'end-all-sessions':
    await endAllSessions();
    break;
  default:
    process.stdout.write(USAGE);
    process.exitCode = command === 'help' ? 0 : 2;
}
