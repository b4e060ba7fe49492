import type { ConnectionOptions } from 'node:tls';

import type { RedisClusterOptions, RedisIdentity } from './redis-cluster.options.js';

/** A connection that was being opened when the identity changed has presented the old one. */
const CHANGE_WINDOW_MS = 2000;

/**
 * The identity that new connections present. Connections that are open keep the one that they were opened with.
 * A provider that fails leaves the last identity in use.
 */
export class ConnectionSecrets {
  private current: RedisIdentity;
  private changedAt = -Infinity;
  private asking: Promise<void> | undefined;

  constructor(
    private readonly options: RedisClusterOptions,
    private readonly onError: (error: Error) => void = () => undefined,
  ) {
    const { username, password, tls } = options;
    this.current = { username, password, tls };
  }

  get username(): string | undefined {
    return this.current.username;
  }

  get password(): string | undefined {
    return this.current.password?.reveal();
  }

  get isTls(): boolean {
    return this.options.tls !== undefined;
  }

  get tls(): ConnectionOptions | undefined {
    if (!this.isTls) {
      return undefined;
    }
    const { ca, cert, key } = this.current.tls ?? {};
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key: key.reveal() }),
    };
  }

  /** Asks the provider again. Callers at the same time share one question. */
  async renew(): Promise<void> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** For a connection that was refused. @returns whether another attempt may present another identity */
  async changedRecently(): Promise<boolean> {
    await this.renew();
    return performance.now() - this.changedAt < CHANGE_WINDOW_MS;
  }

  private async ask(): Promise<void> {
    const { identity } = this.options;
    if (!identity) {
      return;
    }
    const before = fingerprint(this.current);
    try {
      this.current = { ...this.current, ...(await identity()) };
    } catch (error) {
      this.onError(error as Error);
    }
    if (fingerprint(this.current) !== before) {
      this.changedAt = performance.now();
    }
  }
}

function fingerprint({ username, password, tls }: RedisIdentity): string {
  const parts = [username, password?.reveal(), tls?.ca, tls?.cert, tls?.key?.reveal()];
  return JSON.stringify(parts.map((part) => part ?? null));
}
