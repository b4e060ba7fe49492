import { Inject, Injectable, Optional, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { withTimeout, type Deadline } from '../common/deadline/index.js';
import { Tracing } from '../tracing/index.js';
import { CallRetry, UNKNOWN_NODE, type Attempt } from './call-retry.js';
import { ChannelSubscription, type ChannelListener } from './channel-subscription.js';
import { createListeningConnection, type OnError } from './cluster-client.js';
import { ClusterLink } from './cluster-link.js';
import { ConnectionSecrets } from './connection-secrets.js';
import { DurableWriter } from './durable-writer.js';
import { isRefusal } from './error-replies.js';
import { KeyBuilder } from './key-builder.js';
import { KeyScan } from './key-scan.js';
import type { LuaScript } from './lua-script.js';
import { MasterMajority } from './master-majority.js';
import { addressOf } from './node-address.js';
import { NotConfirmedError, RedisUnavailableError } from './redis-cluster.errors.js';
import { RedisCallMetrics } from './redis-call-metrics.js';
import { REDIS_CLUSTER_OPTIONS } from './redis-cluster.module-definition.js';
import { REDIS_CLUSTER_DEFAULTS, type RedisClusterOptions } from './redis-cluster.options.js';
import { appendCall } from './script-call.js';
import { ErrorLog } from './error-log.js';

/** For a command to all nodes: a silent node does not delay the replies of the others. */
const QUERY_TIMEOUT_MS = 400;

type Arguments = readonly (string | number)[];

/**
 * The only access to Redis: Lua scripts, retried within a time budget. One call may run its script more than once, because a
 * reply can be lost after the script has run. So every script that writes is idempotent.
 */
@Injectable()
export class RedisCluster implements OnApplicationShutdown {
  readonly keys: KeyBuilder;
  /** @internal */
  readonly calls: RedisCallMetrics;
  private readonly errorLog = new ErrorLog();
  private readonly secrets: ConnectionSecrets;
  private readonly link: ClusterLink;
  /** Separate connections: WAIT blocks them, and a look-up must not wait behind it. */
  private readonly writeLink: ClusterLink;
  private readonly writer: DurableWriter;
  private readonly retry: CallRetry;
  private readonly subscriptions = new Set<ChannelSubscription>();

  constructor(
    @Inject(REDIS_CLUSTER_OPTIONS) options: RedisClusterOptions,
    @Optional() tracing?: Tracing,
  ) {
    this.calls = new RedisCallMetrics(tracing?.spans);
    const settings = { ...REDIS_CLUSTER_DEFAULTS, ...options };
    this.keys = new KeyBuilder(settings.keyPrefix);
    const onError: OnError = (where, error) => this.errorLog.log(where, error);
    this.secrets = new ConnectionSecrets(options, (error) =>
      onError('The credentials for Redis', error),
    );
    this.link = new ClusterLink(options, this.secrets, onError);
    this.writeLink = new ClusterLink(options, this.secrets, onError);
    // Not on the connections for writes, because WAIT blocks them.
    const majority = new MasterMajority(
      () => this.link.nodes('master'),
      async (node, command, timeoutMs) => this.askNode(node, command, timeoutMs),
    );
    this.writer = new DurableWriter(this.writeLink, majority, this.calls, settings.requireReplica);
    this.retry = new CallRetry(this.links, this.secrets, this.calls, this.errorLog, settings);
  }

  /**
   * Runs a script whose writes, if any, may be lost in a failover: for counters and look-ups.
   *
   * @throws RedisUnavailableError when the time budget is spent. The writes of the script may or may not have happened
   */
  async run<Reply>(
    script: LuaScript<Reply>,
    keys: readonly string[],
    args: Arguments,
    deadline: Deadline,
  ): Promise<Reply> {
    const attempt: Attempt = async (call) => {
      const pipeline = this.link.client.pipeline();
      // The client itself follows `ASK` redirections.
      appendCall(pipeline, { ...call, askNode: undefined });
      const [result] = (await pipeline.exec()) ?? [];
      if (!result || result[0]) {
        throw result?.[0] ?? new Error('the pipeline was not sent');
      }
      return result[1];
    };
    return this.retry.run({ script, keys, args, withSource: false }, deadline, attempt, (cause) => {
      throw new RedisUnavailableError(`${script.name} got no answer`, { cause });
    });
  }

  /**
   * Runs a script and returns when no failover can lose its writes any more: every replica that could be promoted has confirmed
   * them. If there is none, a majority of the masters has confirmed that; with `requireReplica` the call then fails. If the
   * script writes anything, the confirmation also proves what it read: nobody confirms for a master that was replaced.
   *
   * @throws NotConfirmedError when the time budget is spent. The state is unknown, and repeating the call is safe
   */
  async runDurably<Reply>(
    script: LuaScript<Reply>,
    keys: readonly string[],
    args: Arguments,
    deadline: Deadline,
  ): Promise<Reply> {
    return this.runConfirmed(script, keys, args, deadline, (cause) => {
      throw new NotConfirmedError(`${script.name} was not confirmed`, { cause });
    });
  }

  /**
   * Runs a script for its result, and proves that the master that replied was not replaced. The script must write in each
   * run, at least a fence key.
   *
   * @param onSingleCopy called when no replica has confirmed the writes, because none could be promoted
   * @throws RedisUnavailableError when the time budget is spent: for the caller this is a look-up
   */
  async readConfirmed<Reply>(
    script: LuaScript<Reply>,
    keys: readonly string[],
    args: Arguments,
    deadline: Deadline,
    onSingleCopy?: () => void,
  ): Promise<Reply> {
    const giveUp = (cause: Error): never => {
      throw new RedisUnavailableError(`the answer of ${script.name} was not confirmed`, { cause });
    };
    return this.runConfirmed(script, keys, args, deadline, giveUp, onSingleCopy);
  }

  /**
   * Sends a command without keys to every node.
   *
   * @param onRefusal called when the user may not run the command. Default: the error is logged
   * @returns the reply of each node; undefined for a node that does not reply in time
   */
  async askEveryNode(
    command: readonly [string, ...string[]],
    timeoutMs = QUERY_TIMEOUT_MS,
    onRefusal?: (error: Error) => void,
  ): Promise<unknown[]> {
    const answers = this.link
      .nodes('all')
      .map(async (node) =>
        this.askNode(node, command, timeoutMs, onRefusal).catch(() => undefined),
      );
    return Promise.all(answers);
  }

  /**
   * Lists the keys of all masters that match a pattern. A key that exists during the whole scan is listed; others may be. For
   * the work of operators, not for requests: it takes time and memory for every key, and needs the permission for SCAN.
   *
   * @param pattern from `keys.patternFor`
   * @throws RedisUnavailableError, MissingRightError
   */
  async scanKeys(pattern: string, deadline: Deadline): Promise<ReadonlySet<string>> {
    return new KeyScan(this.link, pattern).run(deadline);
  }

  /**
   * Subscribes to sharded channels.
   *
   * @param channels names from `keys.key`, all with the same tag, so that one master serves them
   * @returns a function that ends the subscription
   */
  subscribe(channels: readonly [string, ...string[]], listener: ChannelListener): () => void {
    const subscription = new ChannelSubscription(
      channels,
      listener,
      () => this.link.masterOf(channels[0]),
      (address) => createListeningConnection(this.secrets, address),
      (error) => this.errorLog.logRefusal(error),
    );
    this.subscriptions.add(subscription);
    return () => {
      this.subscriptions.delete(subscription);
      subscription.close();
    };
  }

  /** Publishes a message on a sharded channel. Best effort: the message may be lost without an error. */
  publish(channel: string, message: string): void {
    this.calls
      .observe('spublish', this.masterOf(channel) ?? UNKNOWN_NODE, async () =>
        this.link.client.spublish(channel, message),
      )
      .catch((error: Error) => this.errorLog.logRefusal(error));
  }

  /** @returns `host:port` of the master that serves a key now, if one is known */
  masterOf(key: string): string | undefined {
    return this.link.masterOf(key);
  }

  async onApplicationShutdown(): Promise<void> {
    this.retry.close();
    this.subscriptions.forEach((subscription) => subscription.close());
    await Promise.all(this.links.map(async (link) => link.close()));
  }

  private async runConfirmed<Reply>(
    script: LuaScript<Reply>,
    keys: readonly string[],
    args: Arguments,
    deadline: Deadline,
    giveUp: (cause: Error) => never,
    onSingleCopy?: () => void,
  ): Promise<Reply> {
    const attempt: Attempt = async (call, until) => {
      const { reply, hasOneCopy } = await this.writer.write(call, until);
      if (hasOneCopy) {
        onSingleCopy?.();
      }
      return reply;
    };
    return this.retry.run({ script, keys, args, withSource: false }, deadline, attempt, giveUp);
  }

  private async askNode(
    node: Redis,
    [name, ...args]: readonly [string, ...string[]],
    timeoutMs: number,
    onRefusal = (error: Error): void => this.errorLog.logRefusal(error),
  ): Promise<unknown> {
    const command = [name, ...args].join(' ').toLowerCase();
    try {
      return await this.calls.observe(command, addressOf(node), () =>
        withTimeout(timeoutMs, node.call(name, ...args)),
      );
    } catch (error) {
      if (isRefusal(error as Error)) {
        onRefusal(error as Error);
      }
      throw error;
    }
  }

  private get links(): readonly [ClusterLink, ClusterLink] {
    return [this.link, this.writeLink];
  }
}
