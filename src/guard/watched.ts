import type { ClientPrincipal, Principal, UserPrincipal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import {
  acceptsToken,
  accountCacheKey,
  type AccountState,
  type ServiceAccountReader,
} from '../service-accounts/read/index.js';
import { sessionCacheKey, type SessionReader } from '../user-slot/read/index.js';

/** What decides about the connections of a principal: its session, or its service account. */
export interface Watched {
  readonly id: string;
  /** The subject of the near cache whose changes concern it. */
  readonly subject: string;
  /** The state in memory. It never asks Redis. */
  recall(): LiveAccess | undefined;
  /**
   * Reads the state from Redis, and makes this instance a holder of the subject.
   *
   * @returns undefined when the session has ended, or the account was disabled or deleted
   * @throws RedisUnavailableError
   */
  check(deadline: Deadline): Promise<LiveAccess | undefined>;
}

export interface LiveAccess {
  /** How long the state holds if nothing changes it, in milliseconds. */
  readonly endsInMs: number;
  readonly accepts: (principal: Principal) => boolean;
}

export function watchedSession(
  sessions: SessionReader,
  { userId, sessionId }: UserPrincipal,
): Watched {
  const key = sessionCacheKey(userId, sessionId);
  const live = (endsInMs: number, revokedTokens: ReadonlySet<string>): LiveAccess => ({
    endsInMs,
    accepts: ({ tokenId }) => !revokedTokens.has(tokenId),
  });
  return {
    id: key.id,
    subject: key.subject,
    recall: () => {
      const state = sessions.recall(key);
      return state?.state === 'live' ? live(state.maxAgeMs, state.revokedTokens) : undefined;
    },
    check: async (deadline) => {
      const state = await sessions.checkAndWatch(userId, sessionId, deadline);
      return state.state === 'live' ? live(state.endsInMs, state.revokedTokens) : undefined;
    },
  };
}

/** @param audience of this process */
export function watchedAccount(
  accounts: ServiceAccountReader,
  { clientId }: ClientPrincipal,
  audience: string,
): Watched {
  const key = accountCacheKey(clientId);
  const live = (state: AccountState | undefined): LiveAccess | undefined =>
    state?.state === 'live' && state.audiences.includes(audience)
      ? {
          endsInMs: Infinity,
          accepts: (principal) =>
            principal.kind === 'client' && acceptsToken(state, principal.epoch, principal.tokenId),
        }
      : undefined;
  return {
    id: key.id,
    subject: key.subject,
    recall: () => live(accounts.recall(key)),
    check: async (deadline) => live(await accounts.checkAndWatch(clientId, deadline)),
  };
}
