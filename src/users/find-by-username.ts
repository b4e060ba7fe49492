import type { Deadline } from '../common/deadline/index.js';
import { canonicalUsername, formerCanonicalUsername } from './names/username.js';
import type { Accounts } from './store/accounts.js';
import type { UserRecord } from './user.js';

/**
 * The user of a name as somebody typed it: stored under today's canonical form, or under that of versions before 0.2. For
 * most names the forms are equal, and it is one look-up.
 */
export async function findByUsername(
  accounts: Pick<Accounts, 'findByUsername'>,
  username: string,
  deadline: Deadline,
): Promise<UserRecord | undefined> {
  const user = await accounts.findByUsername(canonicalUsername(username), deadline);
  return user ?? findFormer(accounts, username, deadline);
}

/**
 * Whether a name belongs to a user of a version before 0.2, who is stored under another form of it. No claim of the name
 * finds that user. No new user of this name gets that form, so a look beforehand is enough.
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
