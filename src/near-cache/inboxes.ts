import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Deadline } from '../common/deadline/index.js';
import { LuaScript, RedisCluster, type ChannelListener } from '../redis-cluster/index.js';

/** Redis removes an inbox after this time without a renewal or a post. Registrations do not live as long by default. */
const INBOX_TTL_MS = 2 * 86_400_000;
/** If more posts wait for an instance, the instance begins anew: with empty memory and another inbox. */
const MAX_POSTS = 5000;
/** More than enough to find an id whose inbox and mark are in different shards. */
const MAX_ID_ATTEMPTS = 100;

const load = LuaScript.loaderFor(import.meta.url);
const renewInbox = load('renew-inbox', parseRenewal);
const postMessage = load('post', parsePosted);
const postAgain = load('post-again', isOne);
const closeInbox = load('close-inbox', isOne);
const retireInstance = load('retire-instance', isOne);
const isRetired = load('is-retired', isOne);

export interface Renewal {
  /** `closed`: the instance must begin anew with another inbox. `late`: a later renewal has already run. */
  readonly outcome: 'renewed' | 'closed' | 'late';
  /** The number of posts so far. */
  readonly sequence: number;
  /** The posts after the position of the instance. */
  readonly messages: readonly string[];
}

export interface RenewalRequest {
  readonly instance: string;
  /** Each instance counts its renewals from 1 on. The first one opens the inbox. */
  readonly number: number;
  /** The instance has applied the posts up to this sequence number. */
  readonly position: number;
  /** The number of the last confirmed renewal; 0 before the first one. */
  readonly confirmed: number;
}

/** A post to an instance that may still hold the subject. */
export interface Post {
  readonly sequence: number;
  /** The number of the last renewal before the post. */
  readonly renewal: number;
}

/**
 * The inboxes of the instances. Each inbox is in a slot of its own. It contains the subjects to invalidate, and the number
 * of the last renewal of the lease.
 */
@Injectable()
export class Inboxes {
  /** Keys of values that an instance must not lose together with its inbox. */
  private readonly apart: string[] = [];

  constructor(private readonly redis: RedisCluster) {}

  /** Keeps inboxes that are opened later away from the shard of a key. */
  keepApartFrom(key: string): void {
    this.apart.push(key);
  }

  /** Whether this client knows the masters of the cluster. */
  get isConnected(): boolean {
    return this.masterOf(randomUUID()) !== undefined;
  }

  /**
   * Chooses an id for an instance. The id also decides in which shard the inbox of the instance is.
   *
   * @param avoidedMaster `host:port` of a master. The inbox is in the shard of another master, if there is one
   * @param isApart whether the inbox is also in another shard than the keys of `keepApartFrom`, if there is one
   */
  newInstance(avoidedMaster?: string, isApart = true): string {
    const keys = isApart ? this.apart : [];
    const avoided = [avoidedMaster, ...keys.map((key) => this.redis.masterOf(key))];
    let instance = randomUUID();
    for (let attempt = 0; attempt < MAX_ID_ATTEMPTS; attempt += 1) {
      const master = this.redis.masterOf(this.leaseKey(instance));
      if (!avoided.includes(master) && master !== this.redis.masterOf(this.markKey(instance))) {
        break;
      }
      instance = randomUUID();
    }
    return instance;
  }

  /** A key in the slot of the inbox. While no master serves it, the instance cannot renew its lease there. */
  leaseKey(instance: string): string {
    return this.key(instance, 'state');
  }

  /** `host:port` of the master that has the inbox, if one is known. */
  masterOf(instance: string): string | undefined {
    return this.redis.masterOf(this.leaseKey(instance));
  }

  /**
   * Subscribes an instance to its posts, and to the acknowledgements of its own changes.
   *
   * @returns a function that ends the subscription
   */
  subscribe(
    instance: string,
    listener: Pick<ChannelListener, 'onUp' | 'onDown'> & {
      onPost(message: string): void;
      onAcknowledgement(message: string): void;
    },
  ): () => void {
    const acknowledgements = this.acknowledgementsChannel(instance);
    return this.redis.subscribe([this.postsChannel(instance), acknowledgements], {
      onUp: () => listener.onUp(),
      onDown: () => listener.onDown(),
      onMessage: (channel, message) =>
        channel === acknowledgements
          ? listener.onAcknowledgement(message)
          : listener.onPost(message),
    });
  }

  /** @throws NotConfirmedError */
  async renew({ instance, number, position, confirmed }: RenewalRequest): Promise<Renewal> {
    return this.redis.runDurably(
      renewInbox,
      [this.leaseKey(instance), this.key(instance, 'posts')],
      [number, position, INBOX_TTL_MS, MAX_POSTS, confirmed],
      Deadline.none,
    );
  }

  /**
   * Posts a message to an instance, and publishes it.
   *
   * @returns undefined when the lease of the instance is over, so that it holds nothing
   * @throws NotConfirmedError
   */
  async post(instance: string, message: string, deadline: Deadline): Promise<Post | undefined> {
    return this.redis.runDurably(
      postMessage,
      [this.leaseKey(instance), this.key(instance, 'posts'), this.postsChannel(instance)],
      [message, INBOX_TTL_MS],
      deadline,
    );
  }

  /**
   * Publishes a post again, unless the instance has applied it.
   *
   * @returns whether the instance has applied it
   * @throws RedisUnavailableError
   */
  async postAgain(
    instance: string,
    message: string,
    { sequence }: Post,
    deadline: Deadline,
  ): Promise<boolean> {
    const keys = [this.leaseKey(instance), this.postsChannel(instance)];
    return this.redis.run(postAgain, keys, [message, sequence], deadline);
  }

  /** Best effort: the message may be lost. */
  acknowledge(changer: string, message: string): void {
    this.redis.publish(this.acknowledgementsChannel(changer), message);
  }

  /**
   * Closes an inbox whose instance holds nothing any more, so that later changes do not wait for it.
   *
   * @param renewal from a changing instance, after the lease has expired: the number of the last renewal that it knows. If
   * the lease was renewed since, the inbox stays open. Absent: the instance itself closes the inbox, after it has emptied
   * its memory
   * @throws RedisUnavailableError
   */
  async close(instance: string, renewal?: number): Promise<void> {
    const keys = [this.leaseKey(instance)];
    await this.redis.run(closeInbox, keys, [renewal ?? ''], Deadline.none);
  }

  /**
   * Marks an instance as retired: it holds nothing and never will. The mark is in another shard than the inbox, if there is
   * one. Only the instance itself may call this, because nobody else knows.
   *
   * @throws RedisUnavailableError
   */
  async retire(instance: string): Promise<void> {
    const keys = [this.markKey(instance)];
    await this.redis.run(retireInstance, keys, [INBOX_TTL_MS], Deadline.none);
  }

  /** @throws RedisUnavailableError */
  async isRetired(instance: string, deadline: Deadline): Promise<boolean> {
    return this.redis.run(isRetired, [this.markKey(instance)], [], deadline);
  }

  private postsChannel(instance: string): string {
    return this.key(instance, 'posted');
  }

  private acknowledgementsChannel(instance: string): string {
    return this.key(instance, 'acknowledged');
  }

  private markKey(instance: string): string {
    return this.redis.keys.key(['retired', instance], 'mark');
  }

  private key(instance: string, part: string): string {
    return this.redis.keys.key(['inbox', instance], part);
  }
}

function isOne(reply: unknown): boolean {
  return reply === 1;
}

function parseRenewal(reply: unknown): Renewal {
  const [outcome, sequence = 0, messages = []] = reply as [Renewal['outcome'], number?, string[]?];
  return { outcome, sequence, messages };
}

function parsePosted(reply: unknown): Post | undefined {
  const [isOver, sequence = 0, renewal = 0] = reply as [number, number?, number?];
  return isOver === 1 ? undefined : { sequence, renewal };
}
