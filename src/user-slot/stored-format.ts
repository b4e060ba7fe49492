/**
 * Everything that this module stores under `{user.<id>}`, field by field. Only the scripts in `scripts/` read and write it.
 * Each version must read what earlier versions wrote, because instances of two versions run side by side during an upgrade.
 * The meaning of a field therefore never changes, and a new field may be absent.
 *
 * This module has nine kinds of keys. `fence` is empty and lives for a second: the WAIT after its write
 * proves that the master was not replaced. The near cache stores the directory of the user, `holders`, in the same slot.
 * `user-slot.keys.ts` names the keys of this module. All times are in milliseconds since the epoch, by the clock of the
 * Redis node.
 */

/**
 * `record`: a hash with the user. For a user of another store, it is the copy that decides about the user's sessions. Redis
 * stores text: numbers are decimal, flags are `1` or `0`.
 */
export interface StoredUser {
  /** A UUID. Absent in the mark of a deleted user. */
  readonly id: string;
  /** The name as the user wrote it. */
  readonly username: string;
  /** '' for none. */
  readonly email: string;
  /** The address that the user has confirmed; '' or absent for none. It counts only while it equals `email`. */
  readonly verifiedEmail: string;
  /** '' for none. */
  readonly displayName: string;
  /** A JSON list of names. */
  readonly roles: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Only in users of versions before 0.2 whose password has not changed since: see `password-hash`. Never in a copy. */
  readonly passwordHash: string;
  /** Increases when the password changes, but not when only its hash is renewed. */
  readonly passwordVersion: number;
  /** Absent until the password is changed, and in a copy. */
  readonly passwordChangedAt: number;
  /** `1`: the user cannot log in. Absent means `0`. */
  readonly disabled: 0 | 1;
  /** `1` in users whose registration an earlier version has not completed; such a record expires. Never in a copy. */
  readonly provisional: 0 | 1;
  /** `1` when the skeletons of the name are claimed. Absent for users from before version 0.2 who have not logged in since. */
  readonly skeletons: 0 | 1;
  /** `1` in the mark of a deleted user. The mark expires after two hours. Absent means `0`. */
  readonly deleted: 0 | 1;
  /** `1`: the user has a confirmed second factor. Absent means `0`. The scripts that change factors write it, also in a copy. */
  readonly secondFactor: 0 | 1;
  /** Sequence number of the last change, from the near cache. It is the revision of a user in Redis. Absent means `0`. */
  readonly lastChange: string;
  /** The version of a copy: a UUID that changes with each write. Only in a copy. */
  readonly version: string;
  /** A session of an older epoch is not live. Absent means `0`. */
  readonly sessionEpoch: number;
  /** When the epoch began. Absent while the epoch is `0`. */
  readonly sessionEpochAt: number;
}

/**
 * `password-hash`: the hash, as text; `imported:` and a hash of another system until the first login. It has the lifetime of the
 * record. If the record has a hash as well, an instance of a version before 0.2 has written it later, and it counts. Empty until an
 * invited user sets a password. Never for a copy. A Redis user for services (`redis-acl --guard`)
 * can read records and not this key.
 */
export type StoredPasswordHash = string;

/**
 * `one-time-tokens`: a hash of kind (`password-reset`, `invitation`, `email-verification`) to a JSON list. A new
 * token replaces those of its kind with another binding. The hash expires with its last token.
 */
export interface StoredOneTimeToken {
  /** SHA-256 of the token, in base64url. */
  readonly hash: string;
  readonly expiresAt: number;
  /** What the token is bound to, as JSON text. */
  readonly binding: string;
}

/**
 * `uses`: a hash of session id to the time of the last use that a service has noted. A service must not write sessions. The
 * later of this time and `lastUsedAt` counts. It expires with the idle lifetime after the last one.
 */
export type StoredUses = Readonly<Record<string, number>>;

/**
 * `sessions`: a hash of session id to JSON. This is a session without a mark. It is not live if it has expired, or if its
 * epoch is older than that of the user.
 */
export interface StoredSession {
  readonly createdAt: number;
  /**
   * When the user authenticated from whom `refreshHash` comes, in seconds since the epoch, by the clock of an instance. Absent in
   * sessions of versions before 0.2, which began at `createdAt` with a password.
   */
  readonly authTime?: number;
  /** How, as in the claim `amr`. Absent for a password alone. */
  readonly amr?: readonly string[];
  readonly lastUsedAt: number;
  /** When it expires, even if it is in use. */
  readonly endsAt: number;
  /** The `sessionEpoch` of the user when the session began, or when all other sessions were ended. */
  readonly epoch: number;
  readonly ip: string;
  readonly userAgent: string;
  /** SHA-256 of the newest refresh token, in base64url. */
  readonly refreshHash: string;
  /** Further refresh tokens that may be exchanged, at most eight. Absent for none: only reauthentications add some. */
  readonly otherTokens?: readonly OtherToken[];
  /** When the user last reauthenticated. Absent until then. */
  readonly raisedAt?: number;
  /** SHA-256 of the refresh token that was exchanged last. Absent until the first refresh. */
  readonly previousHash?: string;
  /** Digests of access tokens whose signature was verified, the newest last. Absent in sessions of old versions. */
  readonly verified?: readonly string[];
  /** Ids (`jti`) of revoked access tokens, and when each expires. */
  readonly revoked?: Readonly<Record<string, number>>;
  /** The time at which the full burst of refreshes is available again (GCRA). Absent while refreshes are not limited. */
  readonly refreshesEarnedAt?: number;
}

/** A refresh token beside the newest one, see `includes/refresh-tokens.lua`. */
export interface OtherToken {
  /** SHA-256, in base64url. */
  readonly hash: string;
  /** As in the session, of this token. */
  readonly authTime?: number;
  /** As in the session, of this token. */
  readonly amr?: readonly string[];
  /** Absent until another token of the session is exchanged. */
  readonly endsAt?: number;
}

/** `sessions`: the mark of an ended session. It is removed after two hours, or when the user has 200 newer marks. */
export interface EndedSession {
  readonly endedAt: number;
  /** Id of the request that ended the live session. */
  readonly endedBy?: string;
  /** As in the session. A verified token is refused without a check of its signature. */
  readonly verified?: readonly string[];
}

/**
 * `factors`: a hash of factor id to JSON, which is one second factor. Three fields are about all of them: `.types`, a JSON list of the
 * types of confirmed factors, and `.version`, a number that increases with each change after which an earlier proof no longer counts.
 * `.removal` is the id of the last removal.
 */
export interface StoredFactor {
  readonly type: string;
  /** The user's name for it, or ''. */
  readonly name: string;
  /** Only a confirmed factor counts. */
  readonly isConfirmed: boolean;
  readonly createdAt: number;
  /** Absent until the first use at a login. */
  readonly lastUsedAt?: number;
  /** A UUID that changes with each write. */
  readonly revision: string;
  /** What the type stores, encrypted with a key that is derived from KEY_ENCRYPTION_SECRET. */
  readonly state: string;
}

/** `pending-login:<digest of the challenge>`: a login that waits for its second step, as JSON. It expires after five minutes. */
export interface StoredPendingLogin {
  /** The version of the password that was verified. */
  readonly passwordVersion: number;
  /** Wrong proofs so far. Absent means `0`. */
  readonly failures?: number;
}

/**
 * `refresh-answer:<session id>`: a JSON list of the last refreshes of the session, oldest first. It expires with the grace
 * period of the newest. Versions before 0.2 stored only the last answer, as text.
 */
export interface KeptRefreshAnswer {
  /** SHA-256 of the spent token, in base64url. */
  readonly hash: string;
  /** The same of its successor. Absent in versions before 0.2: it was the next in the list. */
  readonly next?: string;
  readonly spentAt: number;
  /** The response to the client, encrypted with a key that is derived from the spent token. */
  readonly answer: string;
}
