import type { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

import { withTimeout } from '../common/deadline/index.js';

const RECONNECT_INTERVAL_MS = 50;
const CHECK_INTERVAL_MS = 500;
const CHECK_TIMEOUT_MS = 800;

export interface ChannelListener {
  /** The subscription to all channels is active. */
  onUp(): void;
  /** The subscription is lost. Messages are lost until the next `onUp`. */
  onDown(): void;
  onMessage(channel: string, message: string): void;
}

/**
 * Subscribes to sharded channels of one hash tag, on its own connection to the master that serves them. Messages are lost
 * when the connection or the master fails, so a listener needs another source to catch up from.
 */
export class ChannelSubscription {
  private isClosed = false;
  private endWatch: () => void = () => undefined;

  /**
   * @param findMaster `host:port` of the master that serves the channels now, if one is known
   * @param connect creates a connection that is not open yet
   * @param onError called with the reason why the subscription failed. Most failures are temporary
   */
  constructor(
    private readonly channels: readonly [string, ...string[]],
    private readonly listener: ChannelListener,
    private readonly findMaster: () => string | undefined,
    private readonly connect: (address: { host: string; port: number }) => Redis,
    private readonly onError: (error: Error) => void,
  ) {
    void this.keepListening();
  }

  close(): void {
    this.isClosed = true;
    this.endWatch();
  }

  private async keepListening(): Promise<void> {
    while (!this.isClosed) {
      const master = this.findMaster();
      if (master !== undefined) {
        // Returns when the connection is lost.
        await this.listenOn(master).catch(this.onError);
      }
      await delay(RECONNECT_INTERVAL_MS, undefined, { ref: false });
    }
  }

  private async listenOn(master: string): Promise<void> {
    const colon = master.lastIndexOf(':');
    const connection = this.connect({
      host: master.slice(0, colon),
      port: Number(master.slice(colon + 1)),
    });
    let isUp = false;
    let isLost = false;
    const lost = new Promise<void>((resolve) => {
      const lose = (): void => {
        isLost = true;
        resolve();
      };
      connection.once('close', lose);
      // The slot has moved to another master, so this one publishes nothing more.
      connection.once('moved', lose);
    });
    connection.on('error', this.onError);
    connection.on('smessage', (channel: string, message: string) =>
      this.listener.onMessage(channel, message),
    );
    try {
      await connection.connect();
      await connection.ssubscribe(...this.channels);
      if (!isLost && !this.isClosed) {
        isUp = true;
        this.listener.onUp();
        const closed = new Promise<void>((resolve) => (this.endWatch = resolve));
        await Promise.race([lost, closed, this.watch(connection, master, () => isLost)]);
      }
    } finally {
      if (isUp) {
        this.listener.onDown();
      }
      // A second disconnect would leave a timer.
      if (!isLost) {
        connection.disconnect();
      }
    }
  }

  /** Polls, because a frozen master keeps its connections open, and a replaced master may not report its replacement. */
  private async watch(connection: Redis, master: string, isLost: () => boolean): Promise<void> {
    while (!isLost() && this.findMaster() === master) {
      await withTimeout(CHECK_TIMEOUT_MS, connection.ping());
      await delay(CHECK_INTERVAL_MS, undefined, { ref: false });
    }
  }
}
