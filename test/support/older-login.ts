import type { StoredSession } from '../../src/user-slot/stored-format.js';
import type { HttpClient, Tokens } from './http-client.js';
import { withRedis } from './redis.js';

type Api = HttpClient & { readonly keyPrefix: string };

/** Makes the last login or reauthentication of a session older. The next refresh gives tokens that say so. */
export async function ageLogin(
  { keyPrefix }: Api,
  userId: string,
  sessionId: string,
  seconds = 601,
): Promise<void> {
  await withRedis(async (_, cluster) => {
    const key = `${keyPrefix}v1:{user.${userId}}:sessions`;
    const session = JSON.parse((await cluster.hget(key, sessionId))!) as StoredSession;
    const older = { ...session, authTime: session.authTime! - seconds };
    await cluster.hset(key, sessionId, JSON.stringify(older));
  });
}

/** Makes the last login or reauthentication of a session older. @returns new tokens that say so */
export async function olderLogin(
  api: Api,
  userId: string,
  { session_id: sessionId, refresh_token: refreshToken }: Tokens,
  seconds = 601,
): Promise<Tokens> {
  await ageLogin(api, userId, sessionId, seconds);
  const { status, body } = await api.refresh(refreshToken);
  expect(status).toBe(200);
  return body;
}
