import { Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';

import type { Permission, Principal } from '../../common/authentication/index.js';
import { Clock } from '../../common/clock/index.js';
import { Deadline, withTimeout } from '../../common/deadline/index.js';
import { KeyRing } from '../../keys/read/index.js';
import { MetricsRegistry } from '../../metrics/registry/index.js';
import { createNearCache } from '../../near-cache/index.js';
import {
  createRedisCluster,
  NotConfirmedError,
  RedisUnavailableError,
} from '../../redis-cluster/index.js';
import { RoleReader } from '../../roles/read/index.js';
import { ServiceAccountReader } from '../../service-accounts/read/index.js';
import { AccessTokenValidator } from '../access-token-validator.js';
import { AccessWatch, type AccessEnd } from '../access-watch.js';
import { uncheckedCredentials } from '../bearer-token.js';
import { GuardMetrics } from '../guard-metrics.js';
import { mayUse } from '../may-use.js';
import { lacksSecondFactor, recallLacksSecondFactor } from '../second-factor-rule.js';
import { createSessionReader } from '../session-reader.module.js';
import { TokenCheck, type TokenRefusal } from '../token-check.js';
import { VerifiedTokens } from '../verified-tokens.js';
import { KeyslotError } from './keyslot.error.js';
import { Lifecycle } from './lifecycle.js';
import { partOptions, type KeyslotOptions } from './service.options.js';

/** As short as the deadline of a read request, because other requests may share the look-up. */
const PERMISSIONS_TIMEOUT_MS = 1800;
const DEFAULT_JOIN_TIMEOUT_MS = 30_000;
const NO_PROBLEM_FOUND =
  'the nodes answer, and the log may say more. Check redis.keyPrefix, and on every node the rights of the user, which ' +
  '"node dist/cli.js redis-acl --guard" of Keyslot prints';

/** Receives what the connection has to say, with the part of Keyslot that says it. A `LoggerService` of Nest is one. */
export interface KeyslotLogger {
  log(message: unknown, context?: string): unknown;
  warn(message: unknown, context?: string): unknown;
  error(message: unknown, context?: string): unknown;
}

export interface ConnectOptions extends KeyslotOptions {
  /** How long to try to join the cluster, in milliseconds. Default 30 seconds. */
  readonly joinTimeoutMs?: number;
  /**
   * Receives warnings and errors about the connection to Redis, for the whole process. Default: `console`. In a Nest
   * application it replaces the logger of the application.
   */
  readonly logger?: KeyslotLogger;
}

/** A request of `node:http` or of Express, or a wrapper such as Fastify's. */
export type NodeRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** A service's connection to a Keyslot cluster. */
export interface Keyslot {
  /**
   * Accepts or refuses the bearer token of a request. When a call that ends a session or disables a user has returned success
   * on Keyslot, the next request with its tokens is refused. A token that this process knows costs no Redis command.
   *
   * @throws KeyslotError 401 without a valid token, 403 when a role of the user requires a second factor and the user has none, 503
   * when Redis is needed and does not answer
   */
  authenticate(request: NodeRequest): Promise<Principal>;
  /**
   * The same for a token that does not come in the `Authorization` header.
   *
   * @throws KeyslotError
   */
  authenticateToken(token: string): Promise<Principal>;
  /**
   * Requires that the caller has all of the permissions, by the current roles.
   *
   * @throws KeyslotError 403 if one is missing, 503 if the roles cannot be read
   */
  requirePermissions(principal: Principal, ...permissions: Permission[]): Promise<void>;
  /**
   * Tells a long-lived connection that it must end. Memory and Redis are not asked again for each message, so close the
   * connection when the listener is called.
   *
   * @param listener called at most once: `ended`, `not-confirmed` or `stopping`
   * @returns a function that removes the listener. Call it when the connection is closed
   */
  onAccessEnd(principal: Principal, listener: (why: AccessEnd) => void): () => void;
  /** Metrics of the guard, of the near cache and of the calls to Redis, in the text format of Prometheus. */
  metrics(): Promise<string>;
  /** Leaves the cluster, so that no change waits for this process. Afterwards every request is refused with 503. */
  close(): Promise<void>;
}

/**
 * Joins a Keyslot cluster as a member of its near cache.
 *
 * @returns after this process may answer from its memory
 * @throws TypeError for invalid options
 * @throws Error when the cluster cannot be joined in time. It names the reasons that were found
 */
export async function connectKeyslot(options: ConnectOptions): Promise<Keyslot> {
  const given = partOptions(options);
  if (options.logger) {
    Logger.overrideLogger(options.logger);
  }
  const clock = new Clock();
  const metrics = new MetricsRegistry();
  const { redis, time, diagnosis, parts } = createRedisCluster(clock, metrics, given.redis);
  const near = createNearCache(redis, clock, metrics, given.nearCache);
  const ring = new KeyRing(redis, near.cache, clock, given.keyRing);
  const sessions = createSessionReader(redis, near.cache, ring);
  const accounts = new ServiceAccountReader(redis, near.cache);
  const watch = new AccessWatch(sessions, accounts, near.cache, clock, given.guard);
  const roles = new RoleReader(redis, near.cache, given.guard);
  const validator = new AccessTokenValidator(
    ring,
    sessions,
    accounts,
    new VerifiedTokens(),
    clock,
    given.guard,
  );
  const lifecycle = new Lifecycle([...parts, ...near.parts, ring, roles, watch]);
  await lifecycle.start();
  const timeoutMs = options.joinTimeoutMs ?? DEFAULT_JOIN_TIMEOUT_MS;
  try {
    await withTimeout(timeoutMs, Promise.all([time.untilKnown(), near.cache.untilTrusted()]));
  } catch (cause) {
    const problems = await diagnosis.problems().catch((error: Error) => [error.message]);
    await lifecycle.stop();
    const reasons = problems.length > 0 ? problems.join('; ') : NO_PROBLEM_FOUND;
    throw new Error(`Keyslot's cluster could not be joined within ${timeoutMs} ms: ${reasons}.`, {
      cause,
    });
  }
  const verdicts = new GuardMetrics(metrics);
  const check = new TokenCheck(validator, verdicts);
  return new ConnectedKeyslot(validator, check, roles, watch, verdicts, metrics, lifecycle);
}

class ConnectedKeyslot implements Keyslot {
  constructor(
    private readonly validator: AccessTokenValidator,
    private readonly check: TokenCheck,
    private readonly roles: RoleReader,
    private readonly watch: AccessWatch,
    private readonly verdicts: GuardMetrics,
    private readonly registry: MetricsRegistry,
    private readonly lifecycle: Lifecycle,
  ) {}

  async authenticate(request: NodeRequest): Promise<Principal> {
    const message = 'raw' in request ? request.raw : request;
    const credentials = uncheckedCredentials(message);
    const known = credentials ? this.validator.recallCredentials(credentials) : undefined;
    if (known) {
      this.verdicts.memory.accepted += 1;
      return recallLacksSecondFactor(known, this.roles) === false
        ? known
        : this.accepted(async () => Promise.resolve(known));
    }
    return this.accepted(async () => this.check.ofRequest(message, Deadline.none));
  }

  async authenticateToken(token: string): Promise<Principal> {
    return this.accepted(async () => this.check.ofToken(token, Deadline.none));
  }

  async requirePermissions(principal: Principal, ...permissions: Permission[]): Promise<void> {
    const isAllowed = await orUnavailable(async () =>
      mayUse(principal, permissions, this.roles, Deadline.after(PERMISSIONS_TIMEOUT_MS)),
    );
    if (!isAllowed) {
      throw new KeyslotError('forbidden');
    }
  }

  onAccessEnd(principal: Principal, listener: (why: AccessEnd) => void): () => void {
    const subscription = this.watch.endOf(principal).subscribe(listener);
    return () => subscription.unsubscribe();
  }

  async metrics(): Promise<string> {
    return this.registry.metrics();
  }

  async close(): Promise<void> {
    await this.lifecycle.stop();
  }

  private async accepted(check: () => Promise<Principal | TokenRefusal>): Promise<Principal> {
    const result = await orUnavailable(async () => {
      const principal = await check();
      const deadline = Deadline.after(PERMISSIONS_TIMEOUT_MS);
      return typeof principal !== 'string' &&
        (await lacksSecondFactor(principal, this.roles, deadline))
        ? 'second-factor-enrolment-required'
        : principal;
    });
    if (typeof result === 'string') {
      throw new KeyslotError(result);
    }
    return result;
  }
}

/** @throws KeyslotError 503 when Redis did not answer */
async function orUnavailable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof RedisUnavailableError || cause instanceof NotConfirmedError) {
      throw new KeyslotError('store-unavailable', { cause });
    }
    throw cause;
  }
}
