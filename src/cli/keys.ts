import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AuditLog, AuditModule } from '../audit/index.js';
import { Clock, ClockModule } from '../common/clock/index.js';
import { Deadline, withTimeout } from '../common/deadline/index.js';
import { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import {
  loadKeySettings,
  redisIdentityFrom,
  SettingsError,
  type KeySettings,
} from '../config/index.js';
import {
  KeyDecryptionError,
  KeyRotation,
  KeySetStore,
  NoKeyError,
  PUBLICATION_MS,
  RETENTION_MS,
  type KeySet,
} from '../keys/index.js';
import { createLogs, NestLogger } from '../logging/index.js';
import { MetricsModule } from '../metrics/index.js';
import { NearCache, NearCacheModule } from '../near-cache/index.js';
import {
  ClusterTime,
  NotConfirmedError,
  RedisCluster,
  RedisClusterModule,
  RedisUnavailableError,
} from '../redis-cluster/index.js';
import { CommandError, requireNodes } from './cluster-nodes.js';

export const KEYS_USAGE = `Usage: node dist/cli.js keys <action>

Actions:
  list            Print the keys that verify tokens, and which of them signs.
  rotate          Publish a new key. It signs 15 minutes later. The key that signs now verifies until its last token has expired.
  rotate --now    The new key signs at once, for emergencies. Services that verify tokens by the published keys themselves may
                  refuse new tokens until they fetch the keys again. Keyslot and services with the guard accept them.
  withdraw KID    Remove a key at once. When the command returns, no instance and no service with the guard accepts a token that
                  this key has signed. If it is the key that signs, another key takes over in the same step. Clients get new
                  tokens with their refresh tokens.

Uses the REDIS_... settings and NEAR_CACHE_LEASE of an instance. rotate, and withdraw of the key that signs, also need
KEY_ENCRYPTION_SECRET. list also uses SIGNING_KEY_LIFETIME.

Exit code: 0 done, 1 failed or not confirmed, 2 wrong usage. Repeating a command is safe.
`;

const CONNECT_TIMEOUT_MS = 30_000;
/** Longer than a failover. */
const ATTEMPTS_TIMEOUT_MS = 30_000;

export interface KeysCommand {
  readonly action: string;
  /** The key to withdraw. */
  readonly kid: string;
  readonly isNow: boolean;
}

const OPERATOR_ERRORS = [
  CommandError,
  KeyDecryptionError,
  NoKeyError,
  RedisUnavailableError,
  SettingsError,
];

/** Lists, rotates or withdraws signing keys. Exit code 1 if it failed. */
export async function runKeys(command: KeysCommand): Promise<void> {
  try {
    const settings = loadKeySettings();
    const redis = { ...settings.redis, ...requireNodes(settings) };
    process.stdout.write(await withKeys({ ...settings, redis }, command));
  } catch (error) {
    const { message, stack } = error as Error;
    const isForOperator = OPERATOR_ERRORS.some((type) => error instanceof type);
    process.stderr.write(`${isForOperator ? message : (stack ?? message)}\n`);
    process.exitCode = 1;
  }
}

/** What the command needs of the application: no routes, no users, no passwords. */
@Module({})
class KeysCommandModule {
  static forRoot(settings: ClusterKeySettings): DynamicModule {
    const identity = redisIdentityFrom(settings.redis);
    return {
      module: KeysCommandModule,
      imports: [
        ClockModule,
        MetricsModule,
        RedisClusterModule.forRoot({ ...settings.redis, ...(identity ? { identity } : {}) }),
        AuditModule.forRoot(settings.audit),
        NearCacheModule.forRoot(settings.nearCache),
      ],
    };
  }
}

type ClusterKeySettings = KeySettings & { readonly redis: ReturnType<typeof requireNodes> };

/** @returns the text for standard output */
async function withKeys(settings: ClusterKeySettings, command: KeysCommand): Promise<string> {
  const context = await NestFactory.createApplicationContext(KeysCommandModule.forRoot(settings), {
    logger: new NestLogger(createLogs(settings.logLevel).logger),
    abortOnError: false,
  });
  try {
    const cache = context.get(NearCache);
    const clock = context.get(Clock);
    // Joins as an instance, so that the others acknowledge its changes without delay.
    await withTimeout(CONNECT_TIMEOUT_MS, cache.untilTrusted(), {
      onTimeout: () =>
        new CommandError(
          'Redis cannot be reached, refuses this user, or confirms no writes. Nothing was changed.',
        ),
    });
    await context.get(ClusterTime).untilKnown();
    const store = new KeySetStore(context.get(RedisCluster), cache, clock);
    const lifetimeMs = settings.signingKeyLifetimeSeconds * 1000;
    const rotation = new KeyRotation(store, clock, context.get(AuditLog), {
      lifetimeMs,
      encryptionSecret: () => secretOf(settings),
      origin: Origin.operator,
    });
    switch (command.action) {
      case 'rotate':
        return await rotate(rotation, command.isNow);
      case 'withdraw':
        return await withdraw(rotation, command.kid);
      default: {
        const keys = await repeated(async () => store.read(Deadline.none));
        return keys ? tableOf(keys, lifetimeMs) : 'The cluster has no signing key yet.\n';
      }
    }
  } finally {
    await context.close();
  }
}

async function rotate(rotation: KeyRotation, isNow: boolean): Promise<string> {
  // Read once, so that a repeated attempt makes no second new key.
  const { signing: former } = await repeated(async () => rotation.existing(Deadline.none));
  const result = await confirmed(
    async () => rotation.rotate(former.kid, isNow, Deadline.none),
    `Look with 'keys list' whether a new key is published or signs already. If not, run the command again.`,
  );
  if (result.outcome === 'too-many-keys') {
    throw new CommandError(
      'No new key was made: the maximum number of keys that verify tokens is published already. A former key is removed ' +
        `${RETENTION_MS / 60_000} minutes after it was replaced: 'keys list' shows when. A key that has leaked can be withdrawn at any time. Nothing was changed.`,
    );
  }
  const { signing, published } = result.keys;
  if (signing.kid === former.kid && published) {
    return (
      `The key ${published.kid} is published. It signs from ${timeText(published.signsFrom)} on.\n` +
      `Until then, ${signing.kid} signs.\n`
    );
  }
  return (
    `The key ${signing.kid} signs now. ${former.kid} verifies until its last token has expired.\n` +
    'Services that verify tokens by the published keys themselves may refuse new tokens until they fetch the keys again:\n' +
    'up to ten minutes, or as long as they cache the keys.\n'
  );
}

async function withdraw(rotation: KeyRotation, kid: string): Promise<string> {
  const result = await confirmed(
    async () => rotation.withdraw(kid, Deadline.none),
    `Some instances may still accept tokens of the key ${kid}. Run the command again.`,
  );
  if (result.outcome === 'unknown') {
    throw new CommandError(`There is no key ${kid}. The command 'keys list' prints the keys.`);
  }
  return (
    `The key ${kid} is withdrawn. No instance and no service with the guard accepts its tokens.\n` +
    `The key ${result.keys.signing.kid} signs.\n` +
    'Services that verify tokens by the published keys themselves accept tokens of the withdrawn key until they fetch the\n' +
    'keys again: up to ten minutes, or as long as they cache the keys.\n'
  );
}

/** @throws CommandError with the consequence, when Redis does not confirm the change in time */
async function confirmed<Result>(
  change: () => Promise<Result>,
  consequence: string,
): Promise<Result> {
  try {
    return await repeated(change);
  } catch (error) {
    throw error instanceof NotConfirmedError
      ? new CommandError(`Redis did not confirm: ${error.message}. ${consequence}`)
      : error;
  }
}

/** Repeats an attempt while Redis does not answer or confirm, for example during a failover. */
async function repeated<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = Deadline.after(ATTEMPTS_TIMEOUT_MS);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isTransient =
        error instanceof NotConfirmedError || error instanceof RedisUnavailableError;
      if (!isTransient || deadline.hasPassed) {
        throw error;
      }
    }
  }
}

function secretOf({ keyEncryptionSecret, dataDirectory }: KeySettings): Secret {
  if (!keyEncryptionSecret) {
    throw new CommandError(
      'KEY_ENCRYPTION_SECRET is required to make a new key. Set it, or KEY_ENCRYPTION_SECRET_FILE, to the secret of the ' +
        `instances. There is no generated secret in ${dataDirectory} either. Nothing was changed.`,
    );
  }
  return keyEncryptionSecret;
}

const HEADINGS = ['KID', 'STATE', 'CREATED', 'SIGNS FROM', 'SIGNS UNTIL', 'REMOVED'];

function tableOf({ signing, published, retired, withdrawn }: KeySet, lifetimeMs: number): string {
  const { createdAt, signsFrom, isAdopted } = signing;
  const replacedAt =
    published?.signsFrom ??
    (createdAt === undefined ? undefined : createdAt + lifetimeMs + PUBLICATION_MS);
  const rows = [
    HEADINGS,
    ...(published
      ? [[published.kid, 'published', timeText(published.createdAt), timeText(published.signsFrom)]]
      : []),
    [
      signing.kid,
      'signing',
      // The real age of a key of the previous version is unknown.
      `${isAdopted ? 'before ' : ''}${timeText(createdAt)}`,
      timeText(signsFrom),
      timeText(replacedAt),
    ],
    ...retired.map((key) => [
      key.kid,
      'retired',
      timeText(key.createdAt),
      timeText(key.signsFrom),
      timeText(key.signsUntil),
      timeText(key.removeAt),
    ]),
    ...Array.from(withdrawn, ([kid, time]) => [kid, 'withdrawn', '-', '-', '-', timeText(time)]),
  ].map((row) => HEADINGS.map((_, column) => row[column] ?? '-'));
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function timeText(time: number | undefined): string {
  return time === undefined ? '-' : new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
