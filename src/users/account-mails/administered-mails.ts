import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import type { FailureLimit, RateLimiter, TooManyAttempts } from '../../rate-limit/index.js';

/** Not per user, because one address may be that of many invited users. */
const MAILS_PER_ADDRESS: FailureLimit = {
  name: 'administered-mail',
  failures: 10,
  siteFailures: 10,
  windowMs: 3_600_000,
};

/**
 * Limits the invitations and resets that administrators send to one e-mail address, so that nobody can flood a mailbox with a stolen
 * token.
 *
 * @returns undefined when one more mail is allowed
 * @throws RedisUnavailableError
 */
export async function limitAdministeredMails(
  limiter: RateLimiter,
  address: string,
  deadline: Deadline,
): Promise<TooManyAttempts | undefined> {
  return limiter.count(MAILS_PER_ADDRESS, sha256(address.toLowerCase()), deadline);
}
