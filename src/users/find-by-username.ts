import type { Deadline } from '../common/deadline/index.js';
import { canonicalUsername, formerCanonicalUsername } from './names/username.js';
import type { Accounts } from './store/accounts.js';
import type { UserRecord } from './user.js';

/**
 * Finds the user who has a name, in any spelling. The name is stored in the current canonical form, or in the form of versions
 * before 0.2. For most names both forms are equal, so one look-up is enough.
 */
export async function findByUsername(
  accounts: Pick<Accounts, 'locate'>,
  username: string,
  deadline: Deadline,
): Promise<UserRecord | undefined> {
  const find = await locate(accounts, username, deadline);
  return find();
}

/**
 * The first half of `findByUsername`. If a name has two forms, it always looks up both, so that the response time does not reveal
 * whether the name is known (OWASP ASVS 6.3.8).
 *
 * @returns the second half, which reads the user
 */
export async function locate(
  accounts: Pick<Accounts, 'locate'>,
  username: string,
  deadline: Deadline,
): Promise<() => Promise<UserRecord | undefined>> {
  const keys = new Set([canonicalUsername(username), formerCanonicalUsername(username)]);
  const finds = await Promise.all(Array.from(keys, async (key) => accounts.locate(key, deadline)));
  return async () => {
    const [user, former] = await Promise.all(finds.map(async (find) => find()));
    return user ?? former;
  };
}

/**
 * Whether a name belongs to a user from before version 0.2 whose name is stored in another form. A claim of the name does not
 * find that user. New users never get the old form, so a check before the claim is enough.
 */
export async function hasFormerOwner(
  accounts: Pick<Accounts, 'findByUsername'>,
  username: string,
  deadline: Deadline,
): Promise<boolean> {
  return (await findFormer(accounts, username, deadline)) !== undefined;
}

async function findFormer(
  accounts: Pick<Accounts, 'findByUsername'>,
  username: string,
  deadline: Deadline,
): Promise<UserRecord | undefined> {
  const key = formerCanonicalUsername(username);
  return key === canonicalUsername(username) ? undefined : accounts.findByUsername(key, deadline);
}
