import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { networkOf } from '../common/network/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { SessionsService } from '../sessions/index.js';
import {
  canonicalUsername,
  Credentials,
  proofGeneration,
  recordThrottling,
  type Caller,
  type UserRecord,
} from '../users/index.js';
import { DeviceCookies, type RecognizedDevice } from './device-cookies.js';
import { SessionTokens, type IssuedTokens } from './session-tokens.js';

/**
 * One password tried on many accounts (OWASP ASVS 6.3.1). Higher than the limit for an account, because many people may
 * share an address.
 */
const FAILURES_PER_ADDRESS: FailureLimit = {
  name: 'login-address',
  failures: 100,
  siteFailures: 1000,
  windowMs: 15 * 60 * 1000,
};

export interface LoginRequest {
  readonly username: string;
  readonly password: Secret;
  /** The `Cookie` header, if there is one: a device that is known has failures of its own. */
  readonly cookies?: string | undefined;
}

export type LoginOutcome =
  | {
      readonly outcome: 'logged-in';
      readonly tokens: IssuedTokens;
      /** A `Set-Cookie` header, by which the device is known from now on. */
      readonly deviceCookie: string;
    }
  | { readonly outcome: 'wrong-credentials' }
  | TooManyAttempts;

interface LoginContext {
  readonly caller: Caller;
  /** What has looked for the user already, if anything has. */
  readonly find?: (() => Promise<UserRecord | undefined>) | undefined;
  /** Stands for the name in audit events. */
  readonly namePseudonym: string;
  readonly origin: Origin;
}

/** Login and logout. Users, sessions and keys are kept by their own modules. */
@Injectable()
export class AuthService {
  constructor(
    private readonly credentials: Credentials,
    private readonly sessions: SessionsService,
    private readonly tokens: SessionTokens,
    private readonly devices: DeviceCookies,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /** @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError */
  async login(request: LoginRequest, origin: Origin, deadline: Deadline): Promise<LoginOutcome> {
    const network = networkOf(origin.facts.ip ?? '');
    const namePseudonym = this.audit.pseudonymOf(canonicalUsername(request.username));
    const attempt = { attempt: 'login', namePseudonym } as const;
    const device = this.devices.recognize(request.cookies, request.username);
    return recordThrottling<LoginOutcome>(this.audit, attempt, origin, async () => {
      const found = device && {
        device,
        user: await this.credentials.find(request.username, deadline),
      };
      const find = found && (() => Promise.resolve(found.user));
      if (found && isCurrent(found.device, found.user)) {
        // Failures of others at the same address do not count for it. Its own are counted for the account.
        const caller: Caller = { network, proof: { kind: 'device', ...found.device } };
        return this.checkAndStart(request, { caller, find, namePseudonym, origin }, deadline);
      }
      return this.limiter.attempt<LoginOutcome>(
        FAILURES_PER_ADDRESS,
        network,
        deadline,
        async () => {
          const caller: Caller = { network };
          const value = await this.checkAndStart(
            request,
            { caller, find, namePseudonym, origin },
            deadline,
          );
          // A success does not clear the address: an attacker's own account must not.
          return { value, result: value.outcome === 'wrong-credentials' ? 'failed' : 'void' };
        },
      );
    });
  }

  async logout(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    await this.sessions.end(userId, sessionId, origin, deadline);
  }

  /** The same members for every reason, so that a known name costs as much as an unknown one. */
  private recordRefusedLogin(
    userId: string | undefined,
    namePseudonym: string,
    origin: Origin,
  ): void {
    this.audit.record({
      type: 'login-refused',
      result: 'refused',
      reason: 'wrong-credentials',
      userId,
      namePseudonym,
      ...origin.facts,
    });
  }

  private async checkAndStart(
    { username, password }: LoginRequest,
    { caller, find, namePseudonym, origin }: LoginContext,
    deadline: Deadline,
  ): Promise<LoginOutcome> {
    const check = await this.credentials.check(username, deadline, password, caller, find);
    if (check.outcome === 'too-many-attempts') {
      return check;
    }
    const user = check.outcome === 'right' ? check.user : undefined;
    const tokens = user && (await this.startSession(user, origin, deadline));
    if (!tokens) {
      const userId = check.outcome === 'right' ? check.user.id : check.userId;
      this.recordRefusedLogin(userId, namePseudonym, origin);
      return { outcome: 'wrong-credentials' };
    }
    return { outcome: 'logged-in', tokens, deviceCookie: this.devices.issue(user) };
  }

  /** @returns undefined when the user was deleted or got another password a moment ago */
  private async startSession(
    user: UserRecord,
    origin: Origin,
    deadline: Deadline,
  ): Promise<IssuedTokens | undefined> {
    const tokens = await this.tokens.issue(user, randomUUID(), deadline);
    const session = {
      id: tokens.sessionId,
      userId: user.id,
      passwordVersion: user.passwordVersion,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      ip: origin.facts.ip ?? '',
      userAgent: origin.userAgent,
    };
    const hasStarted = await this.sessions.start(session, deadline);
    if (!hasStarted) {
      return undefined;
    }
    const { sessionId } = tokens;
    this.audit.record({
      type: 'logged-in',
      result: 'success',
      userId: user.id,
      sessionId,
      ...origin.as(user.id, sessionId).facts,
    });
    return tokens;
  }
}

/** Whether nobody has changed the password since the device got its cookie, and the account is the same. */
function isCurrent({ generation }: RecognizedDevice, user: UserRecord | undefined): boolean {
  return user !== undefined && generation === proofGeneration(user);
}
