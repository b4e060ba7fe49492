import type { StoredSession } from '../../src/user-slot/stored-format.js';
import { withRedis } from './redis.js';

/** The stored answer of one exchange of a refresh token. */
export interface KeptAnswer {
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly spentAt: number;
  readonly answer: string;
}

interface Owner {
  readonly userId: string;
  readonly sessionId: string;
}

function keyOf(keyPrefix: string, { userId, sessionId }: Owner): string {
  return `${keyPrefix}v1:{user.${userId}}:refresh-answer:${sessionId}`;
}

/** The stored answers of a session, oldest first. */
export async function keptAnswers(keyPrefix: string, owner: Owner): Promise<KeptAnswer[]> {
  const text = await withRedis((_, cluster) => cluster.get(keyOf(keyPrefix, owner)));
  return JSON.parse(text ?? '[]') as KeptAnswer[];
}

/**
 * Backdates the use of the oldest tokens with stored answers, so that no test waits for the grace period.
 *
 * @param count the number of tokens, oldest first
 */
export async function backdateSpentTokens(
  keyPrefix: string,
  owner: Owner,
  byMs: number,
  count = Infinity,
): Promise<void> {
  const kept = await keptAnswers(keyPrefix, owner);
  expect(kept).not.toEqual([]);
  const changed = kept.map((one, index) =>
    index < count ? { ...one, spentAt: one.spentAt - byMs } : one,
  );
  await withRedis((_, cluster) =>
    cluster.set(keyOf(keyPrefix, owner), JSON.stringify(changed), 'KEEPTTL'),
  );
}

/** Backdates the last reauthentication of a session, and the end of its further refresh tokens. */
export async function backdateReauthentication(
  keyPrefix: string,
  { userId, sessionId }: Owner,
  byMs: number,
): Promise<void> {
  const key = `${keyPrefix}v1:{user.${userId}}:sessions`;
  await withRedis(async (_, cluster) => {
    const session = JSON.parse((await cluster.hget(key, sessionId))!) as StoredSession;
    const otherTokens = session.otherTokens?.map((token) =>
      token.endsAt === undefined ? token : { ...token, endsAt: token.endsAt - byMs },
    );
    const older = { ...session, raisedAt: session.raisedAt! - byMs, otherTokens };
    await cluster.hset(key, sessionId, JSON.stringify(older));
  });
}
