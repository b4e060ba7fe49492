import { resolve } from 'node:path';

import { GOOD_PASSWORD, type Answer } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { FaultDriver, type Fault } from './faults.js';
import { AFTER_EFFECT_MS } from './history.js';
import { whyDishonest } from './honesty.js';
import { Random } from './random.js';

/** A change that revokes a token, and the request that shows whether the token is still accepted. */
export type Revocation = 'logout' | 'role change' | 'disabled user';

const INSTANCES = 3;
const SERVICES = 2;
const SERVICE = resolve('test/chaos/service.mjs');
const ADMINISTRATOR = 'chaos-administrator';
/** A stopped instance answers when it is resumed; no pause is longer. */
const RESPONSE_TIMEOUT_MS = 20_000;

export interface RevocationOptions {
  readonly revocations: Readonly<Record<Revocation, number>>;
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly workers: number;
  readonly onProgress?: (done: number) => void;
}

export interface RevocationReport {
  readonly revoked: Record<Revocation, number>;
  readonly faults: ReadonlyMap<Fault, number>;
  /** Requests that started after the response to a revocation, by status; 0 for a lost connection. */
  readonly checks: Map<number, number>;
  /** The ones that were accepted. There must be none. */
  readonly accepted: string[];
  /** Responses that were neither a success nor an honest refusal. There must be none. */
  readonly dishonest: string[];
  /** Revocations that were retried after a 503 or a lost response. */
  repeated: number;
  /** Changes that waited for the lease of a silent instance, as counted by the running instances. */
  leaseWaits: number;
  /** Durations of successful calls, sorted, in milliseconds. */
  readonly durationsMs: number[];
  /** The maximum response time of a running instance, in milliseconds. */
  longestAnswerMs: number;
  /** Instances that exited unexpectedly. */
  readonly crashed: string[];
}

interface Attempt {
  readonly instance: Instance;
  readonly token: string;
  readonly userId: string;
}

/** Three real instances and two services with the guard on a separate cluster, and users whose tokens are revoked during faults. */
export class RevocationRun {
  private readonly report: RevocationReport;
  private left: Revocation[];
  private administratorToken = '';

  private constructor(
    private readonly redis: OwnCluster,
    private readonly instances: readonly Instance[],
    /** The instances, and the services, which only check tokens. */
    private readonly members: readonly Instance[],
    private readonly options: RevocationOptions,
    private readonly random: Random,
    private readonly driver: FaultDriver,
  ) {
    this.left = (Object.keys(options.revocations) as Revocation[]).flatMap((kind) =>
      Array<Revocation>(options.revocations[kind]).fill(kind),
    );
    this.report = {
      revoked: { logout: 0, 'role change': 0, 'disabled user': 0 },
      faults: driver.counts,
      checks: new Map(),
      accepted: [],
      dishonest: [],
      repeated: 0,
      leaseWaits: 0,
      durationsMs: [],
      longestAnswerMs: 0,
      crashed: [],
    };
  }

  static async start(options: RevocationOptions): Promise<RevocationRun> {
    const redis = await startOwnCluster({ restartNodes: 'after-failover' });
    const random = new Random(options.seed);
    const variables = {
      ...redis.variables,
      RATE_LIMIT: 'off',
      BOOTSTRAP_ADMIN_USERNAME: ADMINISTRATOR,
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    };
    const instances: Instance[] = [];
    for (let count = 0; count < INSTANCES; count += 1) {
      instances.push(await Instance.start(variables));
    }
    const members = [...instances];
    for (let count = 0; count < SERVICES; count += 1) {
      members.push(await Instance.start(redis.variables, SERVICE));
    }
    const driver = new FaultDriver(redis, members, random);
    return new RevocationRun(redis, instances, members, options, random, driver);
  }

  async finish(): Promise<RevocationReport> {
    const { workers, faults } = this.options;
    this.administratorToken = (await this.logIn(ADMINISTRATOR)).token;
    const breaking = faults.length === 0 ? undefined : this.driver.run(faults, () => this.isOver);
    await Promise.all(Array.from({ length: workers }, async (_, worker) => this.work(worker)));
    await breaking;
    this.report.durationsMs.sort((one, other) => one - other);
    for (const member of this.members.filter(({ hasEnded }) => hasEnded)) {
      this.report.crashed.push(`${this.nameOf(member)}: ${member.output().slice(-500)}`);
    }
    for (const instance of this.instances.filter(({ hasEnded }) => !hasEnded)) {
      const { body } = await instance.request<string>('GET', '/metrics');
      this.report.leaseWaits += Number(/outcome="waited-for-lease"} (\d+)/.exec(body)?.[1] ?? 0);
    }
    return this.report;
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
    await this.redis.remove();
  }

  private nameOf(member: Instance): string {
    const index = this.members.indexOf(member);
    return index < INSTANCES ? `instance ${index}` : `service ${index - INSTANCES}`;
  }

  private get isOver(): boolean {
    return this.left.length === 0;
  }

  private async work(worker: number): Promise<void> {
    const username = `worker-${worker}-${this.random.word()}`;
    await this.until(async (instance) => {
      // 409: an earlier attempt, whose response was lost or is not awaited any more, took the name.
      const { status } = await this.ask(instance, async () => instance.register(username));
      return (
        status === 201 ||
        (status === 409 &&
          (await this.ask(instance, async () => instance.login(username))).status === 200)
      );
    });
    let past: string | undefined;
    for (let kind = this.left.pop(); kind !== undefined; kind = this.left.pop()) {
      const { token, userId } = await this.logIn(username);
      if (kind === 'role change') {
        await this.patchUser(userId, { roles: ['admin'] });
      }
      await this.warmUp(kind, token, userId);
      await this.revoke(kind, token, userId);
      this.report.revoked[kind] += 1;
      await this.checkEverywhere(kind, token, userId);
      if (kind === 'disabled user') {
        await this.patchUser(userId, { disabled: false });
        await this.checkEverywhere(kind, token, userId);
      }
      if (past !== undefined) {
        // Still revoked after all faults and recoveries.
        await this.checkEverywhere('logout', past, userId);
      }
      past = kind === 'role change' ? past : token;
      this.options.onProgress?.(this.report.durationsMs.length);
    }
  }

  private async logIn(username: string): Promise<{ token: string; userId: string }> {
    let token = '';
    await this.until(async (instance) => {
      const login = await this.ask(instance, async () => instance.login(username));
      token = (login.body['access_token'] as string | undefined) ?? '';
      return login.status === 200;
    });
    const [, payload = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string };
    return { token, userId: claims.sub };
  }

  /** Puts the token into the cache of every reachable member. */
  private async warmUp(kind: Revocation, token: string, userId: string): Promise<void> {
    await Promise.all(
      this.members.map(async (instance) => this.use(kind, { instance, token, userId })),
    );
  }

  private async revoke(kind: Revocation, token: string, userId: string): Promise<void> {
    let hasFailed = false;
    await this.until(async (instance) => {
      const begin = performance.now();
      const { status } = await this.ask(instance, async () =>
        kind === 'logout'
          ? instance.logout(token)
          : instance.request('PATCH', `/api/users/${userId}`, {
              token: this.administratorToken,
              body: kind === 'role change' ? { roles: [] } : { disabled: true },
            }),
      );
      // An unconfirmed logout may have succeeded: then the retry answers 401.
      const isDone = isSuccess(status) || (hasFailed && kind === 'logout' && status === 401);
      if (isDone) {
        this.report.durationsMs.push(performance.now() - begin);
      } else {
        hasFailed = true;
        this.report.repeated += 1;
      }
      return isDone;
    });
  }

  private async patchUser(userId: string, body: unknown): Promise<void> {
    const token = this.administratorToken;
    await this.until(async (instance) => {
      const { status } = await this.ask(instance, async () =>
        instance.request('PATCH', `/api/users/${userId}`, { token, body }),
      );
      return isSuccess(status);
    });
  }

  /** Sends to every member in parallel, including stopped ones: they answer when they are resumed. */
  private async checkEverywhere(kind: Revocation, token: string, userId: string): Promise<void> {
    await Promise.all(
      this.members.map(async (instance) => {
        const status = await this.use(kind, { instance, token, userId });
        this.report.checks.set(status, (this.report.checks.get(status) ?? 0) + 1);
        if (status === 200) {
          this.report.accepted.push(`${kind}, ${this.nameOf(instance)}, user ${userId}`);
        }
      }),
    );
  }

  private async use(kind: Revocation, { instance, token, userId }: Attempt): Promise<number> {
    const path = kind === 'role change' ? `/api/users/${userId}` : '/api/user';
    return (await this.ask(instance, async () => instance.request('GET', path, { token }))).status;
  }

  /** Tries the instances in sequence until one succeeds. */
  private async until(work: (instance: Instance) => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 3 * RESPONSE_TIMEOUT_MS;
    for (;;) {
      const instance = this.random.pick(this.instances);
      if (await work(instance)) {
        return;
      }
      if (performance.now() > deadline) {
        throw new Error('nothing works any more');
      }
    }
  }

  /** @returns the status (0 when the connection was lost) and the body */
  private async ask(
    instance: Instance,
    send: () => Promise<Answer<unknown>>,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const begin = performance.now();
    const answer = await send().catch(() => undefined);
    const end = performance.now();
    const status = answer?.status ?? 0;
    // A disturbance during the request is visible only afterwards.
    const isDisturbed = begin < instance.disturbedUntil + AFTER_EFFECT_MS;
    if (answer && !isDisturbed) {
      this.report.longestAnswerMs = Math.max(this.report.longestAnswerMs, end - begin);
    }
    const hasRetryAfter = answer?.headers.has('retry-after') ?? false;
    const reason = whyDishonest({ status, hasRetryAfter, isDisturbed });
    if (reason !== undefined) {
      this.report.dishonest.push(`${this.nameOf(instance)}: ${reason}`);
    }
    return { status, body: (answer?.body ?? {}) as Record<string, unknown> };
  }
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;
