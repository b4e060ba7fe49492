import { Secret } from '../common/secret/index.js';
import { LuaScript } from '../redis-cluster/index.js';
import { userFromFields, type UserRecord } from './user.js';

const isOne = (reply: unknown): boolean => reply === 1;

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
  deleteUser: load('delete-user', isOne),
};

function load<Reply>(name: string, parse: (reply: unknown) => Reply): LuaScript<Reply> {
  return LuaScript.fromFile(new URL(`./scripts/${name}.lua`, import.meta.url), parse);
}

/** Who has a name already, when a claim did not get it. */
export interface NameHolder {
  readonly userId: string;
  /** False while a registration is under way. */
  readonly isForGood: boolean;
}

function parseHolder(reply: unknown): NameHolder | undefined {
  const [userId = '', isForGood] = reply as [string?, number?];
  return userId === '' ? undefined : { userId, isForGood: isForGood === 1 };
}

function parseChanged(reply: unknown): ChangeOutcome {
  const [outcome, ...fields] = reply as [ChangeOutcome['outcome'], ...string[]];
  const user = outcome === 'changed' ? parseUser(fields) : undefined;
  return user
    ? { outcome: 'changed', user }
    : { outcome: outcome === 'changed' ? 'gone' : outcome };
}

export type ChangeOutcome =
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  /** A later change came first; the password was changed since it was verified; there is no such user. */
  | { readonly outcome: 'overtaken' | 'outdated' | 'gone' };

function parseUser(reply: unknown): UserRecord | undefined {
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
    isDisabled: fields.get('disabled') === '1',
    isProvisional: fields.get('provisional') === '1',
  };
}
