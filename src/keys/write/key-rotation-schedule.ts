import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { randomInt } from 'node:crypto';

import { AuditLog } from '../../audit/index.js';
import { Clock } from '../../common/clock/index.js';
import { Deadline } from '../../common/deadline/index.js';
import { Origin } from '../../common/origin/index.js';
import { MetricsRegistry, seriesBy } from '../../metrics/index.js';
import { NearCache } from '../../near-cache/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import { KeyRotation } from './key-rotation.js';
import { KeySetStore } from './key-set-store.js';
import type { KeySet } from './key-set.js';
import { DEFAULT_LIFETIME_SECONDS } from './key-times.js';
import { KEYS_OPTIONS } from './keys.module-definition.js';
import type { KeysOptions } from './keys.options.js';

const CHECK_INTERVAL_MS = 60_000;

/** Checks once a minute which steps of the signing keys are due. Each instance does so, and any of them may be down. */
@Injectable()
export class KeyRotationSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('SigningKeys');
  private readonly closing = new AbortController();
  private readonly rotation: KeyRotation;
  private readonly lifetimeSeconds: number;
  private readonly isOn: boolean;
  /** The keys at the last check. */
  private keys: KeySet | undefined;

  constructor(
    redis: RedisCluster,
    cache: NearCache,
    private readonly clock: Clock,
    audit: AuditLog,
    metrics: MetricsRegistry,
    @Inject(KEYS_OPTIONS) { lifetimeSeconds, encryptionSecret, doesDueWork = true }: KeysOptions,
  ) {
    this.isOn = doesDueWork;
    this.lifetimeSeconds = lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
    this.rotation = new KeyRotation(new KeySetStore(redis, cache, clock), clock, audit, {
      lifetimeMs: this.lifetimeSeconds * 1000,
      encryptionSecret: () => encryptionSecret,
      origin: Origin.system,
    });
    this.registerMetrics(metrics);
  }

  onApplicationBootstrap(): void {
    if (this.isOn) {
      void this.keepChecking();
    }
  }

  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  /** Takes the steps that are due now. @throws as `KeyRotation.check` */
  async check(): Promise<void> {
    this.keys = await this.rotation.check(Deadline.none);
  }

  private async keepChecking(): Promise<void> {
    const { signal } = this.closing;
    // At a random time of the first minute, so that instances that start together do not check together.
    let pauseMs = randomInt(CHECK_INTERVAL_MS);
    for (;;) {
      await this.clock.delay(pauseMs, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) {
        return;
      }
      await this.check().catch(({ message }: Error) =>
        this.logger.warn(`The signing keys could not be checked: ${message}`),
      );
      pauseMs = CHECK_INTERVAL_MS;
    }
  }

  private registerMetrics(metrics: MetricsRegistry): void {
    metrics.gauges(
      'keyslot_signing_key_age_seconds',
      'Age of the key that signs. Absent while unknown.',
      () => {
        const { createdAt } = this.keys?.signing ?? {};
        return createdAt === undefined ? [] : [[{}, (this.clock.now() - createdAt) / 1000]];
      },
    );
    metrics.gauge(
      'keyslot_signing_key_lifetime_seconds',
      'The age at which a new key is made (SIGNING_KEY_LIFETIME).',
      () => this.lifetimeSeconds,
    );
    metrics.gauges(
      'keyslot_signing_keys',
      'Keys that verify tokens, by state. Absent while unknown.',
      () =>
        this.keys
          ? seriesBy('state', {
              published: this.keys.published ? 1 : 0,
              signing: 1,
              retired: this.keys.retired.length,
            })
          : [],
    );
  }
}
