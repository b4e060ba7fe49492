import type { ConnectionOptions } from 'node:tls';

import type { RedisClusterOptions, RedisIdentity } from './redis-cluster.options.js';

/** A connection that was being opened during a change of the identity may have used the old one. */
const CHANGE_WINDOW_MS = 2000;

/**
 * The identity that new connections present. Open connections keep the identity with which they were opened. If the provider
 * fails, the last identity stays in use.
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

  /** Calls the provider again. Concurrent callers share one call. */
  async renew(): Promise<void> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** For a connection that Redis rejected. @returns whether a retry may present a newer identity */
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
