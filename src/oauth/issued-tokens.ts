import type { Clock } from '../common/clock/index.js';
import { AccessTokenValidator, ANY_AUDIENCE, VerifiedTokens } from '../guard/index.js';
import type { KeyRing } from '../keys/index.js';
import type { ServiceAccountReader } from '../service-accounts/read/index.js';
import type { SessionReader } from '../user-slot/read/index.js';

/**
 * Checks access tokens for any audience. It has its own memory of verified tokens: the guard must not accept a token for another
 * service because somebody has asked about it.
 */
export class IssuedTokens extends AccessTokenValidator {
  constructor(
    ring: KeyRing,
    sessions: SessionReader,
    accounts: ServiceAccountReader,
    clock: Clock,
  ) {
    super(ring, sessions, accounts, new VerifiedTokens(), clock, { audience: ANY_AUDIENCE });
  }
}
