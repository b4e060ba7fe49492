import { Secret } from '../../common/secret/index.js';
import { LuaScript } from '../../redis-cluster/index.js';
import { userFromFields, type UserRecord } from '../user.js';
import type { ChangeOutcome, RemovalOutcome, Unwritten } from './accounts.js';

const isOne = (reply: unknown): boolean => reply === 1;

const load = LuaScript.loaderFor(import.meta.url);

/** The scripts of this module. What each one does, takes and returns is written at its head. */
export const scripts = {
  claimName: load('claim-name', parseHolder),
  confirmName: load('confirm-name', isOne),
  releaseName: load('release-name', isOne),
  findName: load('find-name', (reply) => String(reply) || undefined),
  createUser: load('create-user', isOne),
  confirmUser: load('confirm-user', parseUser),
  findUser: load('find-user', parseUser),
  userExists: load('user-exists', isOne),
  changeUser: load('change-user', parseChanged),
  renewHash: load('renew-hash', isOne),
  deleteUser: load('delete-user', parseDeleted),
  sessionAge: load('session-age', (reply) => (reply === '' ? undefined : Number(reply))),
  findCopy: load('find-copy', parseCopy),
  putCopy: load('put-copy', isOne),
};

/** Who has a name already, when a claim did not get it. */
export interface NameHolder {
  /** The id of a user, marked when it is for a skeleton. */
  readonly owner: string;
  /** False while a registration is under way. */
  readonly isForGood: boolean;
}

function parseHolder(reply: unknown): NameHolder | undefined {
  const [owner = '', isForGood] = reply as [string?, number?];
  return owner === '' ? undefined : { owner, isForGood: isForGood === 1 };
}

/** As of any store, or a later change came first. */
export type RecordChange = ChangeOutcome | { readonly outcome: 'overtaken' };

function parseChanged(reply: unknown): RecordChange {
  const [outcome, ...fields] = reply as [RecordChange['outcome'], ...string[]];
  if (outcome !== 'changed') {
    return outcome === 'overtaken' ? { outcome } : unwritten(outcome, fields);
  }
  const user = parseUser(fields);
  return user ? { outcome, user } : { outcome: 'unknown' };
}

/** The name is absent when an earlier run of the same call has deleted the user. */
export type RecordRemoval = RemovalOutcome & { readonly username?: string | undefined };

function parseDeleted(reply: unknown): RecordRemoval {
  const [outcome, text = ''] = reply as [RecordRemoval['outcome'], string?];
  return outcome === 'removed'
    ? { outcome, username: text || undefined }
    : unwritten(outcome, [text]);
}

function unwritten(outcome: Unwritten['outcome'], [role = '']: readonly string[]): Unwritten {
  return outcome === 'protected' ? { outcome, role } : { outcome };
}

/** What Redis has of a user who is kept elsewhere. */
export interface Copy {
  /** Another one after each write; undefined when there is no copy. */
  readonly version: string | undefined;
  /** Without the password's hash. */
  readonly user: UserRecord | undefined;
}

function parseCopy(reply: unknown): Copy {
  const [version, ...fields] = reply as [string, ...string[]];
  return { version: version || undefined, user: parseUser(fields) };
}

/** A user who is kept in Redis. */
export interface RedisRecord extends UserRecord {
  /** The registration has not come to its end yet; a login completes it. */
  readonly isProvisional: boolean;
  /** The skeletons of the name are claimed. False for users of versions before 0.2 who have not logged in since. */
  readonly hasSkeletons: boolean;
}

function parseUser(reply: unknown): RedisRecord | undefined {
  const list = reply as string[];
  if (list.length === 0) {
    return undefined;
  }
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < list.length; index += 2) {
    fields.set(list[index]!, list[index + 1]!);
  }
  return {
    ...userFromFields(fields),
    passwordHash: new Secret(fields.get('passwordHash') ?? ''),
    passwordVersion: Number(fields.get('passwordVersion')),
    passwordChangedAt: dateOf(fields.get('passwordChangedAt')),
    revision: fields.get('lastChange') ?? '0',
    isDisabled: fields.get('disabled') === '1',
    isProvisional: fields.get('provisional') === '1',
    hasSkeletons: fields.get('skeletons') === '1',
  };
}

function dateOf(milliseconds: string | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(Number(milliseconds));
}
