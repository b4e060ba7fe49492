/** For this long after a disturbance, clients may find that a kept-alive connection is broken. */
export const AFTER_EFFECT_MS = 500;

/** What a client did. */
export const KINDS = ['register', 'login', 'read', 'change', 'refresh', 'logout'] as const;
export type Kind = (typeof KINDS)[number];

/** One request and its answer, as the client saw them. Times are milliseconds since the run began. */
export interface Operation {
  readonly kind: Kind;
  readonly instance: number;
  readonly begin: number;
  readonly end: number;
  readonly user: string;
  /** The session whose token was sent, or that a login began. */
  readonly session?: string | undefined;
  /** What a change wrote, or a read found. */
  readonly value?: string | undefined;
  /** 0 when the connection was refused or lost. */
  readonly status: number;
  /** Of a problem answer. */
  readonly code?: string | undefined;
  readonly hasRetryAfter: boolean;
}

/** A time in which an instance was stopped, killed or restarted on purpose: its answers are late or lost. */
export interface Disturbance {
  readonly instance: number;
  readonly begin: number;
  end: number;
}

/** Something that was broken. */
export interface Fault {
  readonly name: string;
  readonly begin: number;
  /** When it was over: at once for what heals by itself, such as a killed master. */
  end: number;
}

/** The complete history of a run. The promises are checked only against it. */
export class History {
  readonly operations: Operation[] = [];
  readonly disturbances: Disturbance[] = [];
  readonly faults: Fault[] = [];
  /** What else a reader of the report should know. */
  readonly notes: string[] = [];
  /** What was not done often enough to say that it works. */
  readonly untried: string[] = [];
  /** From here on each kind of request has succeeded; what instances that have just begun are slow with is no finding. */
  warmFrom = 0;
  /** From here on everything is whole again, and every request has to succeed or to be refused. */
  calmFrom = Infinity;
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

  /** Whether its instance was stopped, killed or restarted meanwhile, or a moment before. */
  isDisturbed({ instance, begin, end }: Operation): boolean {
    return this.disturbances.some(
      (one) => one.instance === instance && begin < one.end + AFTER_EFFECT_MS && end > one.begin,
    );
  }

  /** Notes that an instance is disturbed for as long as the work takes. */
  async disturb<T>(instance: number, work: () => Promise<T>): Promise<T> {
    const disturbance: Disturbance = { instance, begin: this.now(), end: Infinity };
    this.disturbances.push(disturbance);
    try {
      return await work();
    } finally {
      disturbance.end = this.now();
    }
  }

  /** Notes that something is broken for as long as the work takes. */
  async fault<T>(name: string, work: () => Promise<T>): Promise<T> {
    const fault: Fault = { name, begin: this.now(), end: Infinity };
    this.faults.push(fault);
    try {
      return await work();
    } finally {
      fault.end = this.now();
    }
  }
}

export const isAnswered = ({ status }: Operation): boolean => status >= 200 && status < 300;
/** Whether its outcome is unknown to the client. */
export const isUnknown = ({ status }: Operation): boolean => status === 0 || status >= 500;
