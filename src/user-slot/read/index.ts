/** The read side, for guards. It imports nothing from the write side. */
export type { Factor, FactorUse, FoundFactors, NewFactor, PendingLogin } from '../factor.js';
export type {
  Authentication,
  AuthenticationMethod,
  NewSession,
  PresentedToken,
  RaisedSession,
  RefreshExchange,
  RefreshOutcome,
  Session,
  SessionCheck,
  SessionKey,
  SessionState,
} from '../session.js';
export { SESSION_LIMITS, type SessionLimits } from '../session-limits.js';
export {
  userFromFields,
  type RedisRecord,
  type RefusedWrite,
  type SessionsEffect,
  type StoredChange,
  type UserCopy,
  type UserRecord,
  type WriteConditions,
} from '../user-record.js';
export { sessionCacheKey, userSubject, userTag } from '../user-slot.keys.js';
export { SessionReader } from './session.reader.js';
export { UserReader } from './user.reader.js';
