/**
 * Everything that is stored under `{user.<id>}`, field by field. Only the scripts in `scripts/` read and write it. Each
 * version has to read what the versions before it wrote, and instances of two versions run side by side during an upgrade:
 * a field is never given another meaning, and a new one may be absent.
 *
 * The fourth key, `fence`, holds nothing and lives for a second: a WAIT behind its write proves that the master was not
 * replaced. `user-slot.keys.ts` names the keys. All times are in milliseconds since the epoch, by the clock of the Redis node.
 */

/**
 * `record`: a hash. The user; or, for a user who is kept in another store, the copy that decides about the user's sessions.
 * Redis keeps text: numbers are decimal, flags are `1` or `0`.
 */
export interface StoredUser {
  /** A UUID. Absent in the mark of a deleted user. */
  readonly id: string;
  /** As it is shown. */
  readonly username: string;
  /** '' for none. */
  readonly email: string;
  /** '' for none. */
  readonly displayName: string;
  /** A JSON list of names. */
  readonly roles: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Never in a copy. */
  readonly passwordHash: string;
  /** Counts the passwords; a renewed hash of the same password does not count. */
  readonly passwordVersion: number;
  /** Absent until the password is changed, and in a copy. */
  readonly passwordChangedAt: number;
  /** `1`: the user cannot log in. Absent means `0`. */
  readonly disabled: 0 | 1;
  /** `1` until the name of a new user is confirmed; the record expires until then. Never in a copy. */
  readonly provisional: 0 | 1;
  /** `1` when the skeletons of the name are claimed. Absent for users of versions before 0.2 who have not logged in since. */
  readonly skeletons: 0 | 1;
  /** `1` in the mark of a deleted user, which expires after two hours. Absent means `0`. */
  readonly deleted: 0 | 1;
  /** Sequence number of the last change, from the near cache: the revision of a user who is kept here. Absent means `0`. */
  readonly lastChange: string;
  /** A UUID, another one after each write: the version of a copy. Only in a copy. */
  readonly version: string;
  /** A session of an older epoch is not live. Absent means `0`. */
  readonly sessionEpoch: number;
  /** When the epoch began. Absent while it is `0`. */
  readonly sessionEpochAt: number;
}

/** `sessions`: a hash of session id to JSON. This is a session that nobody has ended; it may have expired. */
export interface StoredSession {
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** When it expires, however much it is used. */
  readonly endsAt: number;
  /** The user's `sessionEpoch` when it began, or when all others were ended. */
  readonly epoch: number;
  readonly ip: string;
  readonly userAgent: string;
  /** SHA-256 of the refresh token that is valid, in base64url. */
  readonly refreshHash: string;
  /** That of the refresh token before it. Absent until the first refresh. */
  readonly previousHash?: string;
  /** Digests of access tokens whose signature was verified, the newest last. Absent in sessions of old versions. */
  readonly verified?: readonly string[];
  /** Ids (`jti`) of revoked access tokens, and when each expires. */
  readonly revoked?: Readonly<Record<string, number>>;
  /** When all refreshes until now are earned again (GCRA). Absent while refreshes are not limited. */
  readonly refreshesEarnedAt?: number;
}

/** `sessions`: the mark of a session that was ended. It is removed after two hours, or when the user has 200 newer ones. */
export interface EndedSession {
  readonly endedAt: number;
  /** Id of the request that ended it while it was live. */
  readonly endedBy?: string;
  /** As in the session: a token of it is refused without a look at its signature. */
  readonly verified?: readonly string[];
}

/**
 * `refresh-answer:<session id>`: a JSON list of the last refreshes of the session, oldest first, for as long as the grace
 * of the newest lasts. Versions before 0.2 stored the last answer alone, as text.
 */
export interface KeptRefreshAnswer {
  /** SHA-256 of the token that was spent, in base64url. */
  readonly hash: string;
  readonly spentAt: number;
  /** The answer to the client, encrypted under a key that only the spent token yields. */
  readonly answer: string;
}
