import { Inject, Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';

import { Deadline } from '../../common/deadline/index.js';
import { Secret } from '../../common/secret/index.js';
import { MetricsRegistry } from '../../metrics/index.js';
import { UndecidedAttemptError, type AttemptResult } from '../../rate-limit/index.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import { HASHING_DEFAULTS, type HashingOptions, type UsersOptions } from '../users.options.js';
import { HashingMetrics } from './hashing-metrics.js';
import { PASSWORD_HASHER, type PasswordHasher } from './password-hasher.js';
import { PASSWORD_MAX_LENGTH } from './password-policy.js';

/** Two units for a code point, and four code points for a letter that is typed in its parts. */
const MOST_NORMALIZED = 2 * 4 * PASSWORD_MAX_LENGTH;

/** More passwords wait to be hashed than can be hashed soon. Nothing was changed. */
export class HashingOverloadedError extends UndecidedAttemptError {
  override readonly name = 'HashingOverloadedError';

  /** @param result of the check that was begun and came too late: a guess is a guess, whoever waits for it */
  constructor(message: string, result: Promise<AttemptResult> = Promise.resolve('void')) {
    super(message, result);
  }
}

/** What comes before and after in a request takes no longer, when all is well. */
const TIME_FOR_THE_REST_MS = 1000;

const TOO_LATE = 'this password was not hashed in time';

/** Passwords are hashed a few at a time, and for callers who still wait. */
@Injectable()
export class HashingQueue implements OnModuleInit {
  private readonly options: HashingOptions;
  private readonly queue: PQueue;
  private readonly metrics: HashingMetrics;
  private nobody: string | undefined;

  constructor(
    @Inject(PASSWORD_HASHER) private readonly hasher: PasswordHasher,
    @Inject(USERS_OPTIONS) options: UsersOptions,
    @Optional() registry?: MetricsRegistry,
  ) {
    this.options = { ...HASHING_DEFAULTS, ...options.hashing };
    this.queue = new PQueue({ concurrency: this.options.concurrency });
    this.metrics = new HashingMetrics(this.queue, registry);
  }

  async onModuleInit(): Promise<void> {
    await this.hashOfNobody();
  }

  /** @throws HashingOverloadedError */
  async hash(password: Secret, deadline: Deadline): Promise<string> {
    const { done } = this.queued(deadline, () => this.hasher.hash(normalized(password)));
    return deadline.limit(done, () => new HashingOverloadedError(TOO_LATE));
  }

  /**
   * @param hash undefined for a user who does not exist: the check then takes as long, and fails
   * @throws HashingOverloadedError
   */
  async verify(hash: string | undefined, password: Secret, deadline: Deadline): Promise<boolean> {
    const expected = hash ?? (await this.hashOfNobody());
    const check = this.queued(deadline, async () => {
      const matches = await this.hasher.verify(expected, normalized(password));
      return matches && hash !== undefined;
    });
    return deadline.limit(
      check.done,
      () =>
        new HashingOverloadedError(TOO_LATE, check.isBegun() ? resultOf(check.done) : undefined),
    );
  }

  /** Whether the hash was made in a weaker way than today's. */
  isOutdated(hash: string): boolean {
    return this.hasher.isOutdated(hash);
  }

  /** Made once, with the parameters of a real user: checking against it takes as long. */
  private async hashOfNobody(): Promise<string> {
    this.nobody ??= await this.hash(new Secret(randomUUID()), Deadline.none);
    return this.nobody;
  }

  private queued<T>(deadline: Deadline, work: () => Promise<T>): Queued<T> {
    if (this.queue.size >= this.options.maxWaiting) {
      this.metrics.refused.full += 1;
      throw new HashingOverloadedError('too many passwords wait to be hashed');
    }
    let isBegun = false;
    const done = this.queue.add(async () => {
      if (deadline.remainingMs < TIME_FOR_THE_REST_MS) {
        this.metrics.refused.late += 1;
        // Its caller would give up before the end: the ones behind it still have time.
        throw new HashingOverloadedError('the turn of this password came too late');
      }
      isBegun = true;
      return this.metrics.timed(work);
    });
    // When its caller has given up, nobody else listens.
    done.catch(() => undefined);
    return { done, isBegun: () => isBegun };
  }
}

interface Queued<T> {
  readonly done: Promise<T>;
  isBegun(): boolean;
}

async function resultOf(check: Promise<boolean>): Promise<AttemptResult> {
  return check.then(
    (isRight) => (isRight ? 'void' : 'failed'),
    () => 'void',
  );
}

/**
 * NFC on both sides, so that two ways to type the same letter are one password; nothing else is changed. What is longer
 * is nobody's password, and marks in the wrong order would take the square of their number.
 */
function normalized(password: Secret): Secret {
  const text = password.reveal();
  return text.length > MOST_NORMALIZED ? password : new Secret(text.normalize('NFC'));
}
