import { Injectable } from '@nestjs/common';

import type { Principal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { AccessTokenValidator } from './access-token-validator.js';
import { bearerToken, type TokenSource } from './bearer-token.js';
import { GuardMetrics } from './guard-metrics.js';

/** As short as the deadline of a read request, because other requests may share the look-up. */
const CHECK_TIMEOUT_MS = 1800;

/** Why a call is refused. */
export type TokenRefusal = 'missing-token' | 'invalid-token';

/** Decides about the token of a call, and counts the decision. All methods throw RedisUnavailableError. */
@Injectable()
export class TokenCheck {
  constructor(
    private readonly validator: AccessTokenValidator,
    private readonly metrics: GuardMetrics,
  ) {}

  async ofRequest(request: TokenSource, deadline: Deadline): Promise<Principal | TokenRefusal> {
    const bearer = bearerToken(request);
    if (bearer.kind === 'token') {
      return this.ofToken(bearer.token, deadline);
    }
    this.metrics.memory.refused += 1;
    return bearer.kind === 'none' ? 'missing-token' : 'invalid-token';
  }

  async ofToken(token: string, deadline: Deadline): Promise<Principal | TokenRefusal> {
    let source: 'memory' | 'redis' = 'memory';
    const onLookup = (): string => (source = 'redis');
    try {
      const until = deadline.within(CHECK_TIMEOUT_MS);
      const principal = await this.validator.validate(token, until, onLookup);
      this.metrics[source][principal ? 'accepted' : 'refused'] += 1;
      return principal ?? 'invalid-token';
    } catch (error) {
      this.metrics.redis.unavailable += 1;
      throw error;
    }
  }
}
