import { Inject, Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Deadline } from '../../common/deadline/index.js';
import { FairQueue } from '../../common/fair-queue/index.js';
import { siteOf } from '../../common/network/index.js';
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

/** Of four places that passwords can wait in, one is for those who are known, however many strangers come. */
const SHARES = { known: 1, stranger: 3 };

/** Whose turn is used up when a password is hashed. */
export interface Turn {
  /** Where the request came from, see `networkOf`. */
  readonly network: string;
  /** The account within the network: its canonical name or its id. */
  readonly account: string;
  /** Whether a live session or a known device asks. */
  readonly isKnown: boolean;
}

/** For work that belongs to no request. */
const OWN_TURN: Turn = { network: '', account: '', isKnown: true };

interface Waiting {
  begin(): Promise<void>;
  refuse(error: HashingOverloadedError): void;
}

/**
 * Passwords are hashed a few at a time, and for callers who still wait. Known callers and strangers take turns, within them
 * sites, within a site networks, and within a network accounts. When too many wait, the newest of the site that has most
 * gives way.
 */
@Injectable()
export class HashingQueue implements OnModuleInit {
  private readonly options: HashingOptions;
  private readonly waiting: FairQueue<Waiting>;
  private running = 0;
  private readonly metrics: HashingMetrics;
  private nobody: string | undefined;

  constructor(
    @Inject(PASSWORD_HASHER) private readonly hasher: PasswordHasher,
    @Inject(USERS_OPTIONS) options: UsersOptions,
    @Optional() registry?: MetricsRegistry,
  ) {
    this.options = { ...HASHING_DEFAULTS, ...options.hashing };
    this.waiting = new FairQueue(this.options.maxWaiting, SHARES);
    const counts = { waiting: () => this.waiting.size, running: () => this.running };
    this.metrics = new HashingMetrics(counts, registry);
  }

  async onModuleInit(): Promise<void> {
    await this.hashOfNobody();
  }

  /**
   * @param turn default: work of our own
   * @throws HashingOverloadedError
   */
  async hash(password: Secret, deadline: Deadline, turn = OWN_TURN): Promise<string> {
    const work = async (): Promise<string> => this.hasher.hash(normalized(password));
    return this.inTime(this.queued(turn, deadline, work), deadline, () => undefined);
  }

  /**
   * @param hash undefined for a user who does not exist: the check then takes as long, and fails
   * @param turn default: work of our own
   * @throws HashingOverloadedError
   */
  async verify(
    hash: string | undefined,
    password: Secret,
    deadline: Deadline,
    turn = OWN_TURN,
  ): Promise<boolean> {
    const expected = hash ?? (await this.hashOfNobody());
    const check = this.queued(turn, deadline, async () => {
      const matches = await this.hasher.verify(expected, normalized(password));
      return matches && hash !== undefined;
    });
    return this.inTime(check, deadline, () => (check.isBegun() ? resultOf(check.done) : undefined));
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

  private queued<T>(turn: Turn, deadline: Deadline, work: () => Promise<T>): Queued<T> {
    const kind = turn.isKnown ? 'known' : 'stranger';
    const path = [kind, siteOf(turn.network), turn.network, turn.account];
    let isBegun = false;
    let entry: Waiting;
    const done = new Promise<T>((resolve, reject) => {
      entry = {
        refuse: reject,
        begin: async () => {
          if (deadline.remainingMs < TIME_FOR_THE_REST_MS) {
            this.metrics.refused.late += 1;
            // Its caller would give up before the end: the ones behind it still have time.
            reject(new HashingOverloadedError('the turn of this password came too late'));
            return;
          }
          isBegun = true;
          await this.metrics.timed(work).then(resolve, reject);
        },
      };
      this.add(path, entry);
    });
    // When its caller has given up, nobody else listens.
    done.catch(() => undefined);
    return { done, isBegun: () => isBegun, leave: () => this.waiting.remove(path, entry) };
  }

  private add(path: readonly string[], entry: Waiting): void {
    if (this.running < this.options.concurrency) {
      this.begin(entry);
      return;
    }
    const dropped = this.waiting.push(path, entry);
    if (dropped) {
      this.metrics.refused.full += 1;
      dropped.refuse(new HashingOverloadedError('too many passwords wait to be hashed'));
    }
  }

  private begin(entry: Waiting): void {
    this.running += 1;
    void entry.begin().then(() => {
      this.running -= 1;
      const next = this.waiting.shift();
      if (next) {
        this.begin(next);
      }
    });
  }

  /** @param begun the result of a check that goes on when nobody waits for it any more */
  private async inTime<T>(
    queued: Queued<T>,
    deadline: Deadline,
    begun: () => Promise<AttemptResult> | undefined,
  ): Promise<T> {
    return deadline.limit(queued.done, () => {
      if (queued.leave()) {
        this.metrics.refused.late += 1;
      }
      return new HashingOverloadedError(TOO_LATE, begun());
    });
  }
}

interface Queued<T> {
  readonly done: Promise<T>;
  isBegun(): boolean;
  /** Gives up the place in the queue. @returns false when the work is under way or done */
  leave(): boolean;
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
