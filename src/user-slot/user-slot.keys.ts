import { CacheKey } from '../near-cache/index.js';
import type { KeyBuilder } from '../redis-cluster/index.js';
import type { SessionKey, SessionState } from './session.js';

/** Puts a key into the slot of its user, so that one script can use all keys of the user. */
export const userTag = (userId: string): readonly ['user', string] => ['user', userId];

/** The near cache subject of a user and all the user's sessions. */
export const userSubject = (userId: string): string => `user.${userId}`;

/** Names the state of a session in the near cache. */
export const sessionCacheKey = (userId: string, sessionId: string): SessionKey =>
  new CacheKey<SessionState>(userSubject(userId), `session.${sessionId}`);

/** The keys of a user's slot in Redis. `stored-format.ts` documents the content of each one. */
export class UserSlotKeys {
  constructor(private readonly keys: KeyBuilder) {}

  record(userId: string): string {
    return this.keys.key(userTag(userId), 'record');
  }

  sessions(userId: string): string {
    return this.keys.key(userTag(userId), 'sessions');
  }

  passwordHash(userId: string): string {
    return this.keys.key(userTag(userId), 'password-hash');
  }

  uses(userId: string): string {
    return this.keys.key(userTag(userId), 'uses');
  }

  refreshAnswers(userId: string, sessionId: string): string {
    return this.keys.key(userTag(userId), 'refresh-answer', sessionId);
  }

  factors(userId: string): string {
    return this.keys.key(userTag(userId), 'factors');
  }

  /** @param digest of the challenge that the client has */
  pendingLogin(userId: string, digest: string): string {
    return this.keys.key(userTag(userId), 'pending-login', digest);
  }

  oneTimeTokens(userId: string): string {
    return this.keys.key(userTag(userId), 'one-time-tokens');
  }

  fence(userId: string): string {
    return this.keys.key(userTag(userId), 'fence');
  }

  /** A pattern that matches the records of all users. */
  get anyRecord(): string {
    return this.keys.patternFor('user', 'record');
  }

  /** A pattern that matches the password hashes of all users. */
  get anyPasswordHash(): string {
    return this.keys.patternFor('user', 'password-hash');
  }

  /** @param key of the slot of a user */
  userIdIn(key: string): string {
    return this.keys.idIn(key);
  }
}
