#!/usr/bin/env node
import { parseArgs } from 'node:util';

import { USERS_OPTIONS, usersCommand } from './cli/users-arguments.js';

// Commands import their code lazily, because loading the whole application takes longer than most commands.
const USAGE = `Usage: node dist/cli.js <command>

Commands:
  cluster             Run the six-node Redis Cluster alone, on ports 7000 to 7005, until Ctrl-C.
  redis-acl [--file]  Print the least-privilege Redis user as a command for redis-cli, or all lines of the ACL file.
            [--guard] The user of a service that only checks tokens (default keyslot-guard); with --file its line.
                      Uses REDIS_USERNAME (default keyslot), REDIS_PASSWORD and REDIS_KEY_PREFIX. The file also uses
                      REDIS_ADMIN_PASSWORD and REDIS_REPLICA_PASSWORD.
  doctor              Check every node of the cluster for the requirements of Keyslot. See doctor --help.
  end-all-sessions    End every session of every user immediately, also while instances run.
                      Uses the settings of an instance. Its Redis user also needs the permission +scan.
  separate-hashes     Move password hashes of earlier versions to keys that services cannot read.
                      Needs the same as end-all-sessions.
  keys                List, rotate or withdraw the keys that sign tokens. See keys --help.
  users               Import users of other systems, export users, rebuild the index of users, or remove lost second
                      factors. See users --help.
  mail                List mails that were not sent, and send them again. See mail --help.
  help                Show this text. --help after a command shows the help of the command.
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
  readonly run: (
    values: Readonly<Record<string, unknown>>,
    positionals: readonly string[],
  ) => Promise<void> | void;
  /** The accepted arguments without a dash. Default: none. */
  readonly isAccepted?: (
    positionals: readonly string[],
    values: Readonly<Record<string, unknown>>,
  ) => boolean;
  readonly options?: Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>;
  /** Default: the common usage text. */
  readonly usage?: () => Promise<string>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  cluster: { run: runCluster },
  'redis-acl': {
    run: async ({ file, guard }) => {
      const { printRedisAcl } = await import('./cli/redis-acl.js');
      printRedisAcl({ isFile: file === true, isGuard: guard === true });
    },
    options: { file: { type: 'boolean' }, guard: { type: 'boolean' } },
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
  'separate-hashes': {
    run: async () => (await import('./cli/separate-hashes.js')).separateHashes(),
  },
  keys: {
    run: async ({ now }, [action = '', kid = '']) => {
      const { runKeys } = await import('./cli/keys.js');
      await runKeys({ action, kid, isNow: now === true });
    },
    options: { now: { type: 'boolean' } },
    isAccepted: ([action, ...rest], { now }) =>
      (action === 'rotate' && rest.length === 0) ||
      (action === 'list' && rest.length === 0 && now === undefined) ||
      (action === 'withdraw' && rest.length === 1 && now === undefined),
    usage: async () => (await import('./cli/keys.js')).KEYS_USAGE,
  },
  users: {
    run: async (values, positionals) => {
      const { runUsers } = await import('./cli/users.js');
      await runUsers(usersCommand(positionals, values)!);
    },
    options: USERS_OPTIONS,
    isAccepted: (positionals, values) => usersCommand(positionals, values) !== undefined,
    usage: async () => (await import('./cli/users.js')).USERS_USAGE,
  },
  mail: {
    run: async ({ retry }) => {
      const { runMail } = await import('./cli/mail.js');
      await runMail({ isRetry: retry === true });
    },
    options: { retry: { type: 'boolean' } },
    isAccepted: ([action, ...rest]) => action === 'failed' && rest.length === 0,
    usage: async () => (await import('./cli/mail.js')).MAIL_USAGE,
  },
  help: { run: () => void process.stdout.write(USAGE) },
};

/** Runs nothing when any argument is unknown, so that a mistyped command cannot run as a different one. */
async function runCommand(name: string, args: string[]): Promise<void> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    return refuse(`There is no command '${name}'.`);
  }
  let values: Readonly<Record<string, unknown>>;
  let positionals: readonly string[];
  try {
    const options = { ...command.options, help: { type: 'boolean', short: 'h' } } as const;
    const allowPositionals = command.isAccepted !== undefined;
    ({ values, positionals } = parseArgs({ args, options, allowPositionals }));
  } catch (error) {
    // The rest of the message explains how to pass arguments that begin with a dash, which no command has.
    return refuse(`${(error as Error).message.replace(/\.(?:\s.*|$)|\n.*/s, '')}.`);
  }
  if (values['help'] === true) {
    process.stdout.write((await command.usage?.()) ?? USAGE);
    return;
  }
  if (command.isAccepted?.(positionals, values) === false) {
    return refuse(
      `'${[name, ...args].join(' ')}' is incomplete, or has arguments that do not fit.`,
      (await command.usage?.()) ?? USAGE,
    );
  }
  await command.run(values, positionals);
}

function refuse(message: string, usage = USAGE): void {
  process.stderr.write(`${message}\n\n${usage}`);
  process.exitCode = 2;
}

const [first = 'help', ...rest] = process.argv.slice(2);
await (['--help', '-h'].includes(first) ? runCommand('help', rest) : runCommand(first, rest));
