#!/usr/bin/env node
import { parseArgs } from 'node:util';

// Each command imports what it needs when it runs: the whole application takes longer to load than most commands to run.
const USAGE = `Usage: node dist/cli.js <command>

Commands:
  cluster             Run the six-node Redis Cluster alone, on ports 7000 to 7005, until Ctrl-C.
  redis-acl [--file]  Print the Redis user with the least rights, for redis-cli; or all lines of a node's file of users.
                      From REDIS_USERNAME (default keyslot), REDIS_PASSWORD and REDIS_KEY_PREFIX; the file also takes
                      REDIS_ADMIN_PASSWORD and REDIS_REPLICA_PASSWORD.
  doctor              Check every node of the cluster for what the promises rest on. See doctor --help.
  end-all-sessions    End every session of every user, at once and for good, also while instances run.
                      With the settings of an instance. Its Redis user needs the right +scan as well.
  help                Show this text, as --help does with any command.
`;

async function runCluster(): Promise<void> {
  const { Shutdown } = await import('./bootstrap/shutdown.js');
  const { loadSettings, SettingsError } = await import('./config/index.js');
  const { EmbeddedCluster, EmbeddedClusterError } = await import('./embedded-cluster/index.js');
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

interface Command {
  readonly run: (values: Readonly<Record<string, unknown>>) => Promise<void> | void;
  readonly options?: Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>;
  /** Default: that of all commands. */
  readonly usage?: () => Promise<string>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  cluster: { run: runCluster },
  'redis-acl': {
    run: async ({ file }) => {
      const { printRedisAcl } = await import('./cli/redis-acl.js');
      printRedisAcl({ isFile: file === true });
    },
    options: { file: { type: 'boolean' } },
  },
  doctor: {
    run: async (values) => {
      const { runDoctor } = await import('./cli/doctor/index.js');
      await runDoctor({
        user: values['user'] as string | undefined,
        restartsAreDelayed: values['delayed-restart'] === true,
      });
    },
    options: { user: { type: 'string' }, 'delayed-restart': { type: 'boolean' } },
    usage: async () => (await import('./cli/doctor/index.js')).DOCTOR_USAGE,
  },
  'end-all-sessions': {
    run: async () => (await import('./cli/end-all-sessions.js')).endAllSessions(),
  },
  help: { run: () => void process.stdout.write(USAGE) },
};

/** Does nothing at all when a word is not understood: a mistyped command must not be half of another one. */
async function runCommand(name: string, args: string[]): Promise<void> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    return refuse(`There is no command '${name}'.`);
  }
  let values: Readonly<Record<string, unknown>>;
  try {
    const options = { ...command.options, help: { type: 'boolean', short: 'h' } } as const;
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    // The rest is about how to pass a word that begins with a dash, which no command takes.
    return refuse(`${(error as Error).message.replace(/\.(?:\s.*|$)|\n.*/s, '')}.`);
  }
  if (values['help'] === true) {
    process.stdout.write((await command.usage?.()) ?? USAGE);
    return;
  }
  await command.run(values);
}

function refuse(message: string): void {
  process.stderr.write(`${message}\n\n${USAGE}`);
  process.exitCode = 2;
}

const [first = 'help', ...rest] = process.argv.slice(2);
await (['--help', '-h'].includes(first) ? runCommand('help', rest) : runCommand(first, rest));
