/** For this long after a disturbance, clients may find a broken keep-alive connection. */
export const AFTER_EFFECT_MS = 500;

/** The kinds of requests. */
export const KINDS = ['register', 'login', 'read', 'change', 'refresh', 'logout'] as const;
export type Kind = (typeof KINDS)[number];

/** One request and its response, as the client saw them. Times are milliseconds since the start of the run. */
export interface Operation {
  readonly kind: Kind;
  readonly instance: number;
  readonly begin: number;
  readonly end: number;
  readonly user: string;
  /** The session whose token was sent, or that a login started. */
  readonly session?: string | undefined;
  /** The value that a change wrote, or that a read returned. */
  readonly value?: string | undefined;
  /** 0 when the connection was refused or lost. */
  readonly status: number;
  /** The id of the user, as far as it is known. A name can be registered again after its user was lost. */
  readonly userId?: string | undefined;
  /** The slots with data of the user, as far as they are known. The last one has the sessions. */
  readonly slots?: readonly number[] | undefined;
  /** The code of a problem response. */
  readonly code?: string | undefined;
  readonly hasRetryAfter: boolean;
}

/** A period in which an instance was stopped, killed or restarted on purpose: responses are late or lost. */
export interface Disturbance {
  readonly instance: number;
  readonly begin: number;
  end: number;
}

/** An injected fault. */
export interface Fault {
  readonly name: string;
  readonly begin: number;
  /** The time of the repair: equal to the begin for faults that recover without repair, such as a killed master. */
  end: number;
  /** From this time to the end, only requests of affected users may get 503. Default: any request may get 503. */
  servedFrom?: number;
  /** For the loss of a shard: whether it has one of these slots. Default: no user is affected. */
  isAffected?: (slots: readonly number[]) => boolean;
}

/**
 * A period in which a shard had one copy of what it acknowledged, and at whose end this copy was lost: what was acknowledged
 * meanwhile may be missing afterwards.
 */
export interface LostCopy {
  readonly begin: number;
  readonly end: number;
  /** Whether the shard has one of these slots. */
  readonly has: (slots: readonly number[]) => boolean;
}

/** The complete history of a run. The promises are checked only with it. */
export class History {
  readonly operations: Operation[] = [];
  readonly disturbances: Disturbance[] = [];
  readonly faults: Fault[] = [];
  readonly lostCopies: LostCopy[] = [];
  /** Additional information for the reader of the report. */
  readonly notes: string[] = [];
  /** Operations with too few samples for a conclusion. */
  readonly untried: string[] = [];
  /**
   * From this time on, each kind of request has succeeded. Slow responses of new instances before it are not
   * violations.
   */
  warmFrom = 0;
  /** From this time on, everything is repaired, and every request must succeed or be refused. */
  repairedFrom = Infinity;
  private readonly origin = performance.now();

  now(): number {
    return performance.now() - this.origin;
  }

  record(operation: Operation): void {
    this.operations.push(operation);
  }

  isWarmingUp({ begin }: Operation): boolean {
    return begin < this.warmFrom;
  }

  /** Whether its instance was stopped, killed or restarted during the request, or shortly before it. */
  isDisturbed({ instance, begin, end }: Operation): boolean {
    return this.disturbances.some(
      (one) => one.instance === instance && begin < one.end + AFTER_EFFECT_MS && end > one.begin,
    );
  }

  /** Records that an instance is disturbed while the work runs. */
  async disturb<T>(instance: number, work: () => Promise<T>): Promise<T> {
    const disturbance: Disturbance = { instance, begin: this.now(), end: Infinity };
    this.disturbances.push(disturbance);
    try {
      return await work();
    } finally {
      disturbance.end = this.now();
    }
  }

  /** Records a fault while the work runs. */
  async fault<T>(name: string, work: (fault: Fault) => Promise<T>): Promise<T> {
    const fault: Fault = { name, begin: this.now(), end: Infinity };
    this.faults.push(fault);
    try {
      return await work(fault);
    } finally {
      fault.end = this.now();
    }
  }
}

export const isAnswered = ({ status }: Operation): boolean => status >= 200 && status < 300;
/** Whether the client does not know the outcome. */
export const isUnknown = ({ status }: Operation): boolean => status === 0 || status >= 500;
