import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { CHANGE_NUMBER, NearCache, type SlotWrite } from '../../near-cache/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import { UserReader } from '../read/user.reader.js';
import { isOne, slotScript } from '../slot-script.js';
import type { StoredUser } from '../stored-format.js';
import {
  changedFields,
  copiedFields,
  parseUser,
  type RedisRecord,
  type RefusedWrite,
  type SessionsEffect,
  type StoredChange,
  type UserCopy,
  type UserRecord,
  type WriteConditions,
} from '../user-record.js';
import { userSubject, UserSlotKeys } from '../user-slot.keys.js';
import { CONFLICT, retryOnConflict } from './retry-on-conflict.js';

/** Longer than the delay of any late write. */
const DELETED_MARK_TTL_MS = 2 * 3_600_000;
/** How long the factors remain when another store has no such user: it may have lost the user for a while. */
const LOST_USER_FACTORS_TTL_MS = 30 * 24 * 3_600_000;

const scripts = {
  create: slotScript('create-user', parseUser),
  prevent: slotScript('prevent-user', isOne),
  confirm: slotScript('confirm-user', parseUser),
  change: slotScript('change-user', parseChanged),
  renewHash: slotScript('renew-hash', isOne),
  separateHash: slotScript('separate-hash', (reply) => reply as SeparatedHash),
  delete: slotScript('delete-user', parseDeleted),
  putCopy: slotScript('put-mirrored-user', isOne),
};

export interface NewRecord {
  /** A UUID. */
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly roles: readonly string[];
  /** Default: now. */
  readonly createdAt?: Date | undefined;
  /** Default false. */
  readonly isDisabled?: boolean | undefined;
  /** Default: none. */
  readonly verifiedEmail?: string | null | undefined;
}

export interface RecordChange extends StoredChange, SessionsEffect, WriteConditions {}

export type ChangeResult =
  { readonly outcome: 'changed'; readonly user: UserRecord } | RefusedWrite;

/** `username` is absent when an earlier run of the same call has deleted the user. */
export type DeletionResult =
  { readonly outcome: 'removed'; readonly username?: string | undefined } | RefusedWrite;

/** `deleted`: it was the hash of a user who does not exist. */
export type SeparatedHash = 'moved' | 'deleted' | 'unchanged';

/** The new content of a copy. */
export interface CopyUpdate {
  /** undefined: the user no longer exists. */
  readonly user: UserRecord | undefined;
  /** Whether this call has deleted the user in the store. */
  readonly isDeleted: boolean;
  readonly effect: SessionsEffect;
}

/**
 * Writes users to Redis. When a method returns, its change is in effect on every instance: the user and all the user's
 * sessions are one subject of the near cache. All methods throw NotConfirmedError, except `renewHash`, which throws
 * RedisUnavailableError. Repeating a call is safe.
 */
@Injectable()
export class UserWriter {
  private readonly keys: UserSlotKeys;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly reader: UserReader,
  ) {
    this.keys = new UserSlotKeys(redis.keys);
  }

  /**
   * Writes a new user.
   *
   * @returns the user who has the id: another one, if there was one before. undefined when the user was deleted since, or after
   * `prevent`
   */
  async create(
    user: NewRecord,
    passwordHash: Secret,
    deadline: Deadline,
  ): Promise<RedisRecord | undefined> {
    const { id, username, email, displayName, roles, createdAt, isDisabled, verifiedEmail } = user;
    const fields: Partial<StoredUser> = {
      id,
      username,
      email: email ?? '',
      displayName: displayName ?? '',
      roles: JSON.stringify(roles),
      passwordVersion: 1,
      skeletons: 1,
      // It replaces the time at which the script runs.
      ...(createdAt ? { createdAt: createdAt.getTime() } : {}),
      ...(isDisabled ? { disabled: 1 } : {}),
      ...(verifiedEmail ? { verifiedEmail } : {}),
    };
    const args = [passwordHash.reveal(), ...Object.entries(fields).flat()];
    return this.redis.runDurably(scripts.create, this.recordKeys(id), args, deadline);
  }

  /**
   * Prevents that a registration which is late still creates its user.
   *
   * @returns false when the user exists. Nothing has changed then
   */
  async prevent(userId: string, deadline: Deadline): Promise<boolean> {
    const keys = [this.keys.record(userId), this.keys.fence(userId)];
    return this.redis.runDurably(scripts.prevent, keys, [DELETED_MARK_TTL_MS], deadline);
  }

  /**
   * Notes that all name keys of a user are claimed. A user of an earlier version, whose registration was not complete, does not
   * expire any more.
   *
   * @returns the user, or undefined when it has expired or was deleted
   */
  async confirm(userId: string, deadline: Deadline): Promise<RedisRecord | undefined> {
    return this.redis.runDurably(scripts.confirm, this.recordKeys(userId), [], deadline);
  }

  /** Changes fields of a user, ends the user's sessions, or both. */
  async change(userId: string, change: RecordChange, deadline: Deadline): Promise<ChangeResult> {
    // Of two concurrent changes, the one with the lower number may arrive last. It then has to start again.
    return retryOnConflict(async () => {
      const write = this.writeOf(userId, change);
      const result = await this.cache.changeInSlot(userSubject(userId), write, deadline);
      return result.outcome === 'overtaken' ? CONFLICT : result;
    });
  }

  /** Replaces the hash of an unchanged password. Best effort: if the write is lost, the next login renews the hash. */
  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    const hashes = [verified.reveal(), renewed.reveal()];
    await this.redis.run(scripts.renewHash, this.recordKeys(userId), hashes, deadline);
  }

  /** Moves the password hash of a user of an earlier version to its own key, and deletes the hash of a user who does not exist. */
  async separateHash(userId: string, deadline: Deadline): Promise<SeparatedHash> {
    return this.redis.runDurably(scripts.separateHash, this.recordKeys(userId), [], deadline);
  }

  /** Deletes a user and the user's sessions. */
  async delete(
    userId: string,
    { ifPasswordVersion, ifRevision, unlessRoles = [] }: WriteConditions,
    deadline: Deadline,
  ): Promise<DeletionResult> {
    const keys = this.allKeys(userId);
    const conditions = [ifPasswordVersion ?? '', ifRevision ?? ''];
    const args = [...conditions, DELETED_MARK_TTL_MS, JSON.stringify(unlessRoles)];
    return this.cache.changeInSlot(
      userSubject(userId),
      { script: scripts.delete, keys, args },
      deadline,
    );
  }

  /**
   * Updates the copy of a user of another store.
   *
   * @param decide reads the store, after this method has read the copy. It returns undefined when nothing has to be written.
   * If another call has written the copy in the meantime, it is called again
   */
  async updateCopy(
    userId: string,
    decide: (found: UserCopy) => Promise<CopyUpdate | undefined>,
    deadline: Deadline,
  ): Promise<void> {
    const write = async (): Promise<typeof CONFLICT | undefined> => {
      const found = await this.reader.findCopy(userId, deadline);
      const update = await decide(found);
      const isDone = !update || (await this.putCopy(userId, found, update, deadline));
      return isDone ? undefined : CONFLICT;
    };
    await this.cache.change(userSubject(userId), async () => retryOnConflict(write), deadline);
  }

  private writeOf(
    userId: string,
    change: RecordChange,
  ): SlotWrite<ChangeResult | { readonly outcome: 'overtaken' }> {
    return {
      script: scripts.change,
      keys: [this.keys.record(userId), this.keys.sessions(userId), this.keys.passwordHash(userId)],
      args: [
        // It makes the script idempotent.
        CHANGE_NUMBER,
        change.ifPasswordVersion ?? '',
        change.ifRevision ?? '',
        change.endsSessions || change.isDisabled ? 1 : 0,
        change.exceptSessionId ?? '',
        JSON.stringify(change.unlessRoles ?? []),
        change.password?.hash.reveal() ?? '',
        ...Object.entries(changedFields(change)).flat(),
      ],
    };
  }

  private recordKeys(userId: string): string[] {
    return [this.keys.record(userId), this.keys.passwordHash(userId)];
  }

  private allKeys(userId: string): string[] {
    const { keys } = this;
    return [
      keys.record(userId),
      keys.sessions(userId),
      keys.passwordHash(userId),
      keys.uses(userId),
      keys.factors(userId),
      keys.oneTimeTokens(userId),
    ];
  }

  /** @returns false when another call has written the copy since it was read. Then this call writes nothing */
  private async putCopy(
    userId: string,
    { version }: UserCopy,
    { user, isDeleted, effect }: CopyUpdate,
    deadline: Deadline,
  ): Promise<boolean> {
    return this.redis.runDurably(
      scripts.putCopy,
      this.allKeys(userId),
      [
        version ?? '',
        randomUUID(),
        effect.endsSessions ? 1 : 0,
        effect.exceptSessionId ?? '',
        DELETED_MARK_TTL_MS,
        isDeleted ? 0 : LOST_USER_FACTORS_TTL_MS,
        ...(user ? Object.entries(copiedFields(user)).flat() : []),
      ],
      deadline,
    );
  }
}

function parseChanged(reply: unknown): ChangeResult | { readonly outcome: 'overtaken' } {
  const [outcome, ...fields] = reply as [
    'changed' | 'overtaken' | RefusedWrite['outcome'],
    ...string[],
  ];
  if (outcome === 'overtaken') {
    return { outcome };
  }
  if (outcome !== 'changed') {
    return refused(outcome, fields[0]);
  }
  const user = parseUser(fields);
  return user ? { outcome, user } : { outcome: 'unknown' };
}

function parseDeleted(reply: unknown): DeletionResult {
  const [outcome, text] = reply as ['removed' | RefusedWrite['outcome'], string?];
  return outcome === 'removed' ? { outcome, username: text || undefined } : refused(outcome, text);
}

function refused(outcome: RefusedWrite['outcome'], role = ''): RefusedWrite {
  return outcome === 'protected' ? { outcome, role } : { outcome };
}
