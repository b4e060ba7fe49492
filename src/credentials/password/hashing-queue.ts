import { Inject, Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Deadline } from '../../common/deadline/index.js';
import { FairQueue } from '../../common/fair-queue/index.js';
import { siteOf } from '../../common/network/index.js';
import { Secret } from '../../common/secret/index.js';
import { MetricsRegistry } from '../../metrics/index.js';
import { UndecidedAttemptError, type AttemptResult } from '../../rate-limit/index.js';
import { HashingMetrics } from './hashing-metrics.js';
import { importedHashIn, verifyImportedHash } from './imported-hash.js';
import { PASSWORD_HASHER, type PasswordHasher } from './password-hasher.js';
import { PASSWORD_MAX_LENGTH } from './password-policy.js';
import {
  HASHING_DEFAULTS,
  PASSWORD_OPTIONS,
  type HashingOptions,
  type PasswordOptions,
} from './password.options.js';
import { lowerThreadPoolPriority } from './thread-pool-priority.js';

/** In UTF-16 code units. A code point has at most two of them, and a decomposed letter has at most four code points. */
const MAX_NORMALIZED_LENGTH = 2 * 4 * PASSWORD_MAX_LENGTH;

/** The password was not hashed or verified, because the queue was full or the deadline passed. */
export class HashingOverloadedError extends UndecidedAttemptError {
  override readonly name = 'HashingOverloadedError';

  /** @param result the result of a check that was already running when the deadline passed. A wrong guess still counts */
  constructor(message: string, result: Promise<AttemptResult> = Promise.resolve('void')) {
    super(message, result);
  }
}

/**
 * Hashing begins only if at least this much of the deadline is left, because the hash and the rest of the request need this
 * time.
 */
const MIN_REMAINING_MS = 1000;

/** One of four places in the queue is reserved for known callers. */
const SHARES = { known: 1, stranger: 3 };

/** The owner of a queue entry. The queue takes turns between owners. */
export interface Turn {
  /** The network of the client's address, see `networkOf`. */
  readonly network: string;
  /** Stands for the account: a digest of its canonical name. */
  readonly account: string;
  /** Whether the caller is a live session or a known device. */
  readonly isKnown: boolean;
}

/** The owner of background work, which belongs to no request. */
const INTERNAL_TURN: Turn = { network: '', account: '', isKnown: true };

interface Waiting {
  begin(): Promise<void>;
  refuse(error: HashingOverloadedError): void;
}

/** Runs a limited number of entries at the same time. The others wait. */
interface Lane {
  readonly concurrency: number;
  readonly waiting: FairQueue<Waiting>;
  running: number;
}

/**
 * Hashes a few passwords at the same time. It skips an entry whose caller has given up. The queue is fair: known callers and
 * strangers take turns, then sites, then networks within a site, then accounts within a network. When the queue is full, it
 * drops the newest entry of the largest owner: first the group (known callers or strangers) that uses the most of its share,
 * then the largest site, network and account in it.
 *
 * A check of a hash of another system first waits until no other such check runs, because it may need much memory. Meanwhile it
 * takes no place among the running hashes.
 */
@Injectable()
export class HashingQueue implements OnModuleInit {
  private readonly options: HashingOptions;
  private readonly all: Lane;
  private readonly imported: Lane;
  private readonly metrics: HashingMetrics;
  private placeholder: string | undefined;

  constructor(
    @Inject(PASSWORD_HASHER) private readonly hasher: PasswordHasher,
    @Inject(PASSWORD_OPTIONS) options: PasswordOptions,
    @Optional() registry?: MetricsRegistry,
  ) {
    this.options = { ...HASHING_DEFAULTS, ...options.hashing };
    const { concurrency, maxWaiting } = this.options;
    this.all = { concurrency, waiting: new FairQueue(maxWaiting, SHARES), running: 0 };
    this.imported = { concurrency: 1, waiting: new FairQueue(maxWaiting, SHARES), running: 0 };
    const counts = {
      waiting: () => this.all.waiting.size + this.imported.waiting.size,
      running: () => this.all.running,
    };
    this.metrics = new HashingMetrics(counts, registry);
  }

  async onModuleInit(): Promise<void> {
    await this.placeholderHash();
    // The first hash has started the threads.
    lowerThreadPoolPriority();
  }

  /**
   * @param turn default: work that belongs to no request
   * @throws HashingOverloadedError
   */
  async hash(password: Secret, deadline: Deadline, turn = INTERNAL_TURN): Promise<string> {
    const work = async (): Promise<string> => this.hasher.hash(normalized(password));
    return this.inTime(this.queued(turn, deadline, work), deadline, () => undefined);
  }

  /**
   * @param hash undefined when the user does not exist. The check then fails, after the same time as for an existing user
   * @param turn default: work that belongs to no request
   * @throws HashingOverloadedError
   */
  async verify(
    hash: string | undefined,
    password: Secret,
    deadline: Deadline,
    turn = INTERNAL_TURN,
  ): Promise<boolean> {
    // An invited user has no password yet: the hash is ''.
    const isKnown = hash !== undefined && hash !== '';
    const expected = isKnown ? hash : await this.placeholderHash();
    const imported = importedHashIn(expected);
    const check =
      imported === undefined
        ? this.queued(turn, deadline, async () => {
            const matches = await this.hasher.verify(expected, normalized(password));
            return matches && isKnown;
          })
        : this.queuedAlone(turn, deadline, async () => verifyImportedHash(imported, password));
    return this.inTime(check, deadline, () => (check.isBegun() ? resultOf(check.done) : undefined));
  }

  /** Whether the hash was created by another system, or with weaker parameters than the current ones. */
  isOutdated(hash: string): boolean {
    return importedHashIn(hash) !== undefined || this.hasher.isOutdated(hash);
  }

  /**
   * A hash of a random password with the normal parameters. Verifying it takes the same time as verifying the hash of a
   * user. Created once.
   */
  private async placeholderHash(): Promise<string> {
    this.placeholder ??= await this.hash(new Secret(randomUUID()), Deadline.none);
    return this.placeholder;
  }

  private queued<T>(turn: Turn, deadline: Deadline, work: () => Promise<T>): Queued<T> {
    return this.enter(this.all, turn, async () => {
      if (deadline.remainingMs < MIN_REMAINING_MS) {
        this.metrics.refused.late += 1;
        // The deadline would pass before the hash is finished. Refuse it now, so that later entries, which have more time, can
        // run.
        throw new HashingOverloadedError('not enough time was left to hash this password');
      }
      return this.metrics.timed(work);
    });
  }

  /** Waits until no other work that was queued alone waits or runs, and then in the queue. */
  private queuedAlone<T>(turn: Turn, deadline: Deadline, work: () => Promise<T>): Queued<T> {
    let inner: Queued<T> | undefined;
    const outer = this.enter(this.imported, turn, async () => {
      inner = this.queued(turn, deadline, work);
      return inner.done;
    });
    return {
      done: outer.done,
      isBegun: () => inner?.isBegun() === true,
      leave: () => (inner ?? outer).leave(),
    };
  }

  private enter<T>(lane: Lane, turn: Turn, work: () => Promise<T>): Queued<T> {
    const kind = turn.isKnown ? 'known' : 'stranger';
    const path = [kind, siteOf(turn.network), turn.network, turn.account];
    let isBegun = false;
    let entry: Waiting;
    const done = new Promise<T>((resolve, reject) => {
      entry = {
        refuse: reject,
        begin: async () => {
          isBegun = true;
          await work().then(resolve, reject);
        },
      };
      this.add(lane, path, entry);
    });
    // After the caller has given up, nobody handles a rejection.
    done.catch(() => undefined);
    const leave = (): boolean => {
      const isWaiting = lane.waiting.remove(path, entry);
      if (isWaiting) {
        entry.refuse(new HashingOverloadedError('the caller has given up'));
      }
      return isWaiting;
    };
    return { done, isBegun: () => isBegun, leave };
  }

  private add(lane: Lane, path: readonly string[], entry: Waiting): void {
    if (lane.running < lane.concurrency) {
      this.begin(lane, entry);
      return;
    }
    const dropped = lane.waiting.push(path, entry);
    if (dropped) {
      this.metrics.refused.full += 1;
      dropped.refuse(new HashingOverloadedError('too many passwords wait to be hashed'));
    }
  }

  private begin(lane: Lane, entry: Waiting): void {
    lane.running += 1;
    void entry.begin().then(() => {
      lane.running -= 1;
      const next = lane.waiting.shift();
      if (next) {
        this.begin(lane, next);
      }
    });
  }

  /** @param begun the result of a check that continues after the caller has given up */
  private async inTime<T>(
    queued: Queued<T>,
    deadline: Deadline,
    begun: () => Promise<AttemptResult> | undefined,
  ): Promise<T> {
    return deadline.limit(queued.done, () => {
      if (queued.leave()) {
        this.metrics.refused.late += 1;
      }
      return new HashingOverloadedError('this password was not hashed in time', begun());
    });
  }
}

interface Queued<T> {
  readonly done: Promise<T>;
  isBegun(): boolean;
  /** Leaves the queue. @returns false when the work has begun or is done */
  leave(): boolean;
}

async function resultOf(check: Promise<boolean>): Promise<AttemptResult> {
  return check.then(
    (isRight) => (isRight ? 'void' : 'failed'),
    () => 'void',
  );
}

/**
 * Converts a password to NFC before hashing and before verifying, so that both encodings of the same letter match. A text
 * longer than `MAX_NORMALIZED_LENGTH` cannot be a valid password. It is not normalized, because normalizing many combining
 * marks takes quadratic time.
 */
function normalized(password: Secret): Secret {
  const text = password.reveal();
  return text.length > MAX_NORMALIZED_LENGTH ? password : new Secret(text.normalize('NFC'));
}
