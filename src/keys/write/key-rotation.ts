import type { AuditLog } from '../../audit/index.js';
import type { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import { dueSteps, type DueStep } from './due-steps.js';
import { newCandidate } from './key-candidate.js';
import { decryptKey } from './key-encryption.js';
import type { KeySetStore } from './key-set-store.js';
import type { KeySet } from './key-set.js';

/** More than the number of changes of the key set at the same time. */
const MAX_ATTEMPTS = 50;

/**
 * No rotation makes more keys that verify. Each former key verifies for `RETENTION_MS`, and every verifier loads all of them. The
 * schedule needs two at a time, so this leaves room for several emergencies.
 */
const MAX_KEYS = 10;

export interface KeyRotationOptions {
  /** The age at which a key is replaced. */
  readonly lifetimeMs: number;
  /** @throws when the secret is not available to this process. Called only when a new key has to be made */
  readonly encryptionSecret: () => Secret;
  /** Who makes the changes, for audit events. */
  readonly origin: Origin;
}

export type RotateOutcome =
  | { readonly outcome: 'rotated'; readonly keys: KeySet }
  /** So many keys verify tokens already that no further one is published. Nothing was changed. */
  | { readonly outcome: 'too-many-keys' };

export type WithdrawOutcome =
  | { readonly outcome: 'withdrawn'; readonly keys: KeySet }
  /** The cluster has no such key, and had none that was withdrawn within the last 90 days. */
  | { readonly outcome: 'unknown' };

/**
 * The life of the signing keys: a key is published, signs, is retired, and is removed. Any number of callers may do the same at
 * the same time, and each of them may crash after any step.
 *
 * A key signs only after a change that followed its publication was settled, so every instance knows it. A key is removed only
 * after its last token has expired, counted from the moment when no instance could sign with it any more.
 */
export class KeyRotation {
  constructor(
    private readonly store: KeySetStore,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly options: KeyRotationOptions,
  ) {}

  /**
   * Takes the steps that are due, and finishes changes whose callers have crashed.
   *
   * @returns the keys, or undefined when the cluster has none
   * @throws RedisUnavailableError, NotConfirmedError, KeyDecryptionError. Repeating it is safe
   */
  async check(deadline: Deadline): Promise<KeySet | undefined> {
    const keys = await this.store.read(deadline);
    if (!keys) {
      return undefined;
    }
    // After the read: what the steps assume about these keys is then known to every instance.
    await this.store.settle(deadline);
    const steps = dueSteps(keys, this.clock.now(), this.options.lifetimeMs);
    for (const step of steps) {
      await this.take(step, keys, deadline);
    }
    return steps.length === 0 ? keys : this.store.read(deadline);
  }

  /** @throws NoKeyError, RedisUnavailableError */
  async existing(deadline: Deadline): Promise<KeySet> {
    const keys = await this.store.read(deadline);
    if (!keys) {
      throw new NoKeyError('The cluster has no signing key yet. The first instance creates it.');
    }
    return keys;
  }

  /**
   * Publishes a successor of a key. It signs after the time of publication. Does nothing if a key is already published, or if
   * another key signs already, so a repeated call makes no second successor. Withdrawals and the schedule have no maximum of keys.
   *
   * @param replaced the key that signs, as the caller has read it
   * @param isNow whether the new key signs as soon as every instance knows it. Verifiers that cache the published set then
   * refuse its tokens until they fetch the set again
   * @throws RedisUnavailableError, NotConfirmedError, KeyDecryptionError. Repeating it is safe
   */
  async rotate(replaced: string, isNow: boolean, deadline: Deadline): Promise<RotateOutcome> {
    return this.untilDone<RotateOutcome>(deadline, async (keys) => {
      const isReplaced = keys.signing.kid !== replaced;
      if (!isReplaced && !keys.published) {
        // Nobody can add a retired key meanwhile: then another key signs, and the script publishes nothing.
        if (1 + keys.retired.length >= MAX_KEYS) {
          return { outcome: 'too-many-keys' };
        }
        await this.publish(keys, deadline);
        return undefined;
      }
      await this.store.settle(deadline);
      if (isReplaced || !keys.published || !isNow) {
        return { outcome: 'rotated', keys };
      }
      await this.promote(keys.published.kid, replaced, deadline);
      return undefined;
    });
  }

  /**
   * Removes a key. When it returns, no instance accepts a token that the key has signed, and none signs with it. If it was the
   * key that signs, another key signs.
   *
   * @throws RedisUnavailableError, NotConfirmedError, KeyDecryptionError. Repeating it is safe
   */
  async withdraw(kid: string, deadline: Deadline): Promise<WithdrawOutcome> {
    const event = { type: 'signing-key-withdrawn', details: { kid } } as const;
    return this.audit.recordChange(
      [{ ...event, ...this.options.origin.facts }],
      async () => this.untilDone(deadline, async (keys) => this.tryToWithdraw(kid, keys, deadline)),
      ({ outcome }) => outcome === 'withdrawn',
    );
  }

  private async tryToWithdraw(
    kid: string,
    keys: KeySet,
    deadline: Deadline,
  ): Promise<WithdrawOutcome | undefined> {
    const { signing, published, retired } = keys;
    if (signing.kid === kid && !published) {
      await this.publish(keys, deadline);
      return undefined;
    }
    if (![signing, published, ...retired].some((key) => key?.kid === kid)) {
      // An earlier call may have crashed after its write.
      await this.store.settle(deadline);
      return keys.withdrawn.has(kid) ? { outcome: 'withdrawn', keys } : { outcome: 'unknown' };
    }
    if (signing.kid === kid) {
      await this.store.settle(deadline);
    }
    await this.store.withdraw(kid, signing.kid === kid ? published?.kid : undefined, deadline);
    return undefined;
  }

  private async take(due: DueStep, keys: KeySet, deadline: Deadline): Promise<void> {
    switch (due.step) {
      case 'adopt':
        return this.store.adopt(due.kid, deadline);
      case 'publish':
        return this.publish(keys, deadline);
      case 'promote':
        return this.promote(due.kid, due.replaced, deadline);
      case 'schedule-removal':
        return this.store.scheduleRemoval(due.kids, deadline);
      case 'remove':
        return this.store.remove(due.kids, deadline);
    }
  }

  private async publish({ signing }: KeySet, deadline: Deadline): Promise<void> {
    const secret = this.options.encryptionSecret();
    // With another secret, no instance could use the new key.
    await decryptKey(signing.encryptedKey, secret);
    const candidate = await newCandidate(secret);
    if (await this.store.publish(candidate, signing.kid, deadline)) {
      this.record('signing-key-created', candidate.kid);
    }
  }

  private async promote(kid: string, replaced: string, deadline: Deadline): Promise<void> {
    if (await this.store.promote(kid, replaced, deadline)) {
      this.record('signing-key-activated', kid);
    }
  }

  private record(type: 'signing-key-created' | 'signing-key-activated', kid: string): void {
    this.audit.record({ type, result: 'success', ...this.options.origin.facts, details: { kid } });
  }

  /** Reads the keys and makes one change, until the keys are as desired. */
  private async untilDone<Result>(
    deadline: Deadline,
    attempt: (keys: KeySet) => Promise<Result | undefined>,
  ): Promise<Result> {
    for (let count = 0; count < MAX_ATTEMPTS; count += 1) {
      const result = await attempt(await this.existing(deadline));
      if (result !== undefined) {
        return result;
      }
    }
    throw new NotConfirmedError('too many others change the signing keys at the same time');
  }
}

/** The message is meant for the operator. */
export class NoKeyError extends Error {
  override readonly name = 'NoKeyError';
}
