import type { Redis } from 'ioredis';

import { createConnection } from './cluster-client.js';
import { ConnectionSecrets } from './connection-secrets.js';
import { isMissingRight, redacted } from './error-replies.js';
import type { RedisClusterOptions, RedisNodeAddress } from './redis-cluster.options.js';

const REPLY_TIMEOUT_MS = 5000;

/** The reply to one command, or the reason why there is none. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: unknown }
  /** The user lacks the permission for the command. */
  | { readonly kind: 'not-allowed' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Queries one node directly and without retries, for the commands of operators. It writes nothing. */
export class NodeInspector {
  private constructor(
    readonly address: string,
    private readonly connection: Redis,
  ) {}

  /** @throws Error whose message says why the connection failed */
  static async connect(
    options: RedisClusterOptions,
    address: RedisNodeAddress,
  ): Promise<NodeInspector> {
    let trouble: Error | undefined;
    const onError = (error: Error): void => void (trouble ??= error);
    const secrets = new ConnectionSecrets(options);
    const connection = createConnection(secrets, address, onError, REPLY_TIMEOUT_MS);
    connection.on('error', onError);
    try {
      await connection.connect();
      await connection.call('PING');
    } catch (error) {
      connection.disconnect();
      throw redacted(trouble ?? (error as Error));
    }
    return new NodeInspector(`${address.host}:${address.port}`, connection);
  }

  async ask(command: string, ...args: string[]): Promise<Answer> {
    try {
      return { kind: 'reply', reply: await this.connection.call(command, ...args) };
    } catch (error) {
      return isMissingRight(error as Error)
        ? { kind: 'not-allowed' }
        : { kind: 'failed', reason: redacted(error as Error).message };
    }
  }

  close(): void {
    this.connection.disconnect();
  }
}
