import { Inject, Injectable, Optional, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

import { withTimeout, type Deadline } from '../common/deadline/index.js';
import { Tracing } from '../tracing/index.js';
import { ChannelSubscription, type ChannelListener } from './channel-subscription.js';
import { createListeningConnection, type OnError } from './cluster-client.js';
import { ClusterLink } from './cluster-link.js';
import { ConnectionSecrets } from './connection-secrets.js';
import { DurableWriter } from './durable-writer.js';
import { isReadOnlyShard, isRefusal, isRetriable, isWrongUser, redacted } from './error-replies.js';
import { KeyBuilder } from './key-builder.js';
import { KeyScan } from './key-scan.js';
import type { LuaScript } from './lua-script.js';
import { isProgrammingError } from './programming-error.js';
import { NotConfirmedError, RedisUnavailableError } from './redis-cluster.errors.js';
import { RedisCalls } from './redis-calls.js';
import { REDIS_CLUSTER_OPTIONS } from './redis-cluster.module-definition.js';
import { REDIS_CLUSTER_DEFAULTS, type RedisClusterOptions } from './redis-cluster.options.js';
import { appendCall, correctedCall, type ScriptCall } from './script-call.js';
import { ErrorLog } from './error-log.js';

const RETRY_INTERVAL_MS = 30;
/** For a question to all nodes: one that is silent does not hold up what the others say. */
const QUERY_TIMEOUT_MS = 400;
/** While no node has told yet who serves what. */
const UNKNOWN_NODE = 'unknown:0';

type Arguments = readonly (string | number)[];
type Attempt = (call: ScriptCall, deadline: Deadline) => Promise<unknown>;

/**
 * The one way to Redis: Lua scripts, retried within a time budget. A script may run more than once for one call (a
 * reply can be lost after the work was done), so every script that writes is idempotent.
 */
@Injectable()
export class RedisCluster implements OnApplicationShutdown {
  readonly keys: KeyBuilder;
  /** @internal */
  readonly calls: RedisCalls;
  private readonly errorLog = new ErrorLog();
  private readonly budgetMs: number;
  private readonly secrets: ConnectionSecrets;
  private readonly link: ClusterLink;
  /** Connections of its own: WAIT blocks them, and a look-up must not stand behind it. */
  private readonly writeLink: ClusterLink;
  private readonly writer: DurableWriter;
  private readonly subscriptions: ChannelSubscription[] = [];
  private isClosed = false;

  constructor(
    @Inject(REDIS_CLUSTER_OPTIONS) private readonly options: RedisClusterOptions,
    @Optional() tracing?: Tracing,
  ) {
    this.calls = new RedisCalls(tracing?.spans);
    const settings = { ...REDIS_CLUSTER_DEFAULTS, ...options };
    this.keys = new KeyBuilder(settings.keyPrefix);
    this.budgetMs = settings.budgetMs;
    const onError: OnError = (where, error) => this.errorLog.tell(where, error);
    this.secrets = new ConnectionSecrets(options, (error) =>
      onError('The credentials for Redis', error),
    );
    this.link = new ClusterLink(options, this.secrets, onError);
    this.writeLink = new ClusterLink(options, this.secrets, onError);
    this.writer = new DurableWriter(this.writeLink, settings.confirmingReplicas);
  }

  /**
   * Runs a script whose writes, if any, may be lost in a failover: counters and look-ups.
   *
   * @throws RedisUnavailableError when the budget has run out: what the script writes may or may not be there
   */
  async run<Reply>(
    script: LuaScript<Reply>,
    keys: readonly string[],
    args: Arguments,
    deadline: Deadline,
  ): Promise<Reply> {
    const attempt: Attempt = async (call) => {
      const pipeline = this.link.client.pipeline();
      // The client follows a slot that is moving by itself.
      appendCall(pipeline, { ...call, askNode: undefined });
      const [result] = (await pipeline.exec()) ?? [];
      if (!result || result[0]) {
        throw result?.[0] ?? new Error('the pipeline was not sent');
      }
      return result[1];
    };
    return this.retry({ script, keys, args, withSource: false }, deadline, attempt, (cause) => {
      throw new RedisUnavailableError(`${script.name} got no answer`, { cause });
    });
  }

  /**
   * Runs a script and returns once its replicas have confirmed what it wrote. What a script read is proved too when it
   * wrote something in the same run: only a master that was not replaced has a replica to confirm it.
   *
   * @throws NotConfirmedError when the budget has run out: the state is unknown, and repeating the call is safe
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
   * Runs a script for what it returns, and proves that the master that answered was not replaced. The script must write in
   * each run: a fence key, if nothing else.
   *
   * @throws RedisUnavailableError when the budget has run out: to the caller this is a look-up
   */
  async readConfirmed<Reply>(
    script: LuaScript<Reply>,
    keys: readonly string[],
    args: Arguments,
    deadline: Deadline,
  ): Promise<Reply> {
    return this.runConfirmed(script, keys, args, deadline, (cause) => {
      throw new RedisUnavailableError(`the answer of ${script.name} was not confirmed`, { cause });
    });
  }

  /**
   * What each node answers to a command which concerns no key; undefined for one that does not answer soon.
   *
   * @param onRefusal told when the user may not run the command; by default the operator is
   */
  async askEveryNode(
    [name, ...args]: readonly [string, ...string[]],
    timeoutMs = QUERY_TIMEOUT_MS,
    onRefusal = (error: Error): void => this.errorLog.logRefusal(error),
  ): Promise<unknown[]> {
    const command = [name, ...args].join(' ').toLowerCase();
    const answers = await Promise.allSettled(
      this.link
        .nodes('all')
        .map((node) =>
          this.calls.observe(command, addressOf(node), () =>
            withTimeout(timeoutMs, node.call(name, ...args)),
          ),
        ),
    );
    return answers.map((answer) => {
      if (answer.status === 'rejected') {
        const reason = answer.reason as Error;
        if (isRefusal(reason)) {
          onRefusal(reason);
        }
        return undefined;
      }
      return answer.value;
    });
  }

  /**
   * The keys that match a pattern, of all masters: each that is there from the beginning to the end, and others perhaps.
   * For operators' work, not for requests: it takes time and memory for every key, and the right to SCAN.
   *
   * @param pattern made by `keys.patternFor`
   * @throws RedisUnavailableError, MissingRightError
   */
  async scanKeys(pattern: string, deadline: Deadline): Promise<ReadonlySet<string>> {
    return new KeyScan(this.link, pattern).run(deadline);
  }

  /**
   * Listens on sharded channels.
   *
   * @param channels names made by `keys.key`, all with the same tag: one master serves them
   */
  subscribe(
    channels: readonly [string, ...string[]],
    listener: ChannelListener,
  ): ChannelSubscription {
    const subscription = new ChannelSubscription(
      channels,
      listener,
      () => this.link.masterOf(channels[0]),
      (address) => createListeningConnection(this.secrets, address),
      (error) => this.errorLog.logRefusal(error),
    );
    this.subscriptions.push(subscription);
    return subscription;
  }

  /** Sends a message to whoever listens on a sharded channel now. It may be lost, and nobody is told. */
  publish(channel: string, message: string): void {
    this.calls
      .observe('spublish', this.masterOf(channel), async () =>
        this.link.client.spublish(channel, message),
      )
      .catch((error: Error) => this.errorLog.logRefusal(error));
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    this.subscriptions.forEach((subscription) => subscription.close());
    await Promise.all(this.links.map(async (link) => link.close()));
  }

  private async runConfirmed<Reply>(
    script: LuaScript<Reply>,
    keys: readonly string[],
    args: Arguments,
    deadline: Deadline,
    giveUp: (cause: Error) => never,
  ): Promise<Reply> {
    const attempt: Attempt = (call, until) => this.writer.write(call, until);
    return this.retry({ script, keys, args, withSource: false }, deadline, attempt, giveUp);
  }

  private get links(): readonly ClusterLink[] {
    return [this.link, this.writeLink];
  }

  private masterOf(key: string): string {
    return this.link.masterOf(key) ?? UNKNOWN_NODE;
  }

  private async retry<Reply>(
    firstCall: ScriptCall<Reply>,
    requested: Deadline,
    attempt: Attempt,
    giveUp: (cause: Error) => never,
  ): Promise<Reply> {
    const { script, keys } = firstCall;
    if (keys.length !== script.numberOfKeys) {
      throw new Error(`${script.name} takes ${script.numberOfKeys} keys, not ${keys.length}`);
    }
    const deadline = requested.within(this.budgetMs);
    let call = firstCall;
    let failure = new Error('there was no time for a try');
    let reply: unknown;
    for (;;) {
      if (deadline.hasPassed || this.isClosed) {
        giveUp(redacted(failure));
      }
      try {
        const current = call;
        reply = await this.calls.observe(
          script.name,
          current.askNode ?? this.masterOf(keys[0] ?? ''),
          () => withTimeout(deadline.remainingMs, attempt(current, deadline)),
        );
        break;
      } catch (error) {
        // That the time is over says less than what the shard has said before.
        failure = deadline.hasPassed && isReadOnlyShard(failure) ? failure : (error as Error);
      }
      if (isProgrammingError(failure)) {
        throw failure;
      }
      if (isRefusal(failure) && !(isWrongUser(failure) && (await this.secrets.changedRecently()))) {
        // It will be the same until somebody mends it.
        this.errorLog.logRefusal(failure);
        giveUp(redacted(failure));
      }
      const corrected = correctedCall(failure, call, this.options.natMap);
      call = corrected ?? { ...call, askNode: undefined };
      if (corrected) {
        continue;
      }
      if (!isRefusal(failure) && !isRetriable(failure)) {
        const cause = redacted(failure);
        throw new Error(`${script.name} failed: ${cause.message}`, { cause });
      }
      // A pipeline is not redirected by the client when only part of it failed: the map has to be asked for.
      this.links.forEach((link) => link.checkSoon());
      await delay(RETRY_INTERVAL_MS);
    }
    return script.parse(reply);
  }
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
