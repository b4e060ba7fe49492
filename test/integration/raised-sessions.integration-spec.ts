import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import {
  SESSION_LIMITS,
  SessionReader,
  type NewSession,
  type RefreshOutcome,
} from '../../src/user-slot/read/index.js';
import { SessionWriter } from '../../src/user-slot/write/index.js';
import { backdateReauthentication } from '../support/kept-answers.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { createdUser, startedSession } from '../support/started-session.js';

const GRACE_MS = 10_000;
const until = Deadline.none;

/** Several refresh tokens of one session are valid after a reauthentication, because its answer may be lost or come late. */
describe('the refresh tokens of a session that was raised', () => {
  const prefix = newPrefix();
  let instance: CacheInstance;
  let writer: SessionWriter;
  beforeAll(async () => {
    instance = await startCacheInstance(prefix);
    writer = new SessionWriter(instance.redis, instance.cache, SESSION_LIMITS);
  });
  afterAll(async () => instance.close());

  const started = async (): Promise<NewSession> =>
    startedSession(instance, await createdUser(instance));
  const raise = async (session: NewSession): Promise<Secret> => {
    const refreshToken = new Secret(randomUUID());
    const raised = { ...session, refreshToken };
    expect(await writer.raise(raised, until)).toEqual({ outcome: 'raised' });
    return refreshToken;
  };
  /** The sealed answer of an exchange names its successor here, so that a replay shows where it leads. */
  const exchange = async (
    { userId, id: sessionId }: NewSession,
    presented: Secret,
    limits: Partial<typeof SESSION_LIMITS> = {},
  ): Promise<RefreshOutcome & { readonly successor: Secret }> => {
    const successor = new Secret(randomUUID());
    const at = new SessionWriter(instance.redis, instance.cache, { ...SESSION_LIMITS, ...limits });
    const result = await at.exchange(
      {
        userId,
        sessionId,
        presented,
        successor,
        accessToken: new Secret(randomUUID()),
        accessTtlSeconds: 900,
        sealedAnswer: successor.reveal(),
      },
      until,
    );
    return { ...result, successor };
  };
  const rotated = async (session: NewSession, presented: Secret): Promise<Secret> => {
    const { outcome, successor } = await exchange(session, presented);
    expect(outcome).toBe('rotated');
    return successor;
  };
  const later = async ({ userId, id: sessionId }: NewSession, byMs = GRACE_MS): Promise<void> =>
    backdateReauthentication(prefix, { userId, sessionId }, byMs);
  const lifeOf = async ({ userId, id }: NewSession, token: Secret): Promise<number> =>
    new SessionReader(instance.redis, instance.cache, SESSION_LIMITS).checkRefreshToken(
      userId,
      id,
      token,
      until,
    );

  it.each([2, 3, 4, 5])(
    'of %d parallel reauthentications can all be exchanged, and so can each successor',
    async (count) => {
      const session = await started();
      const tokens = await Promise.all(Array.from({ length: count }, async () => raise(session)));

      const next = await Promise.all(
        [session.refreshToken, ...tokens].map(async (one) => rotated(session, one)),
      );

      // The client keeps any one of them, and uses it when the grace period is over.
      await later(session);
      const kept = await rotated(session, next[1]!);
      await later(session);
      await rotated(session, kept);
      for (const [index, token] of next.entries()) {
        if (index !== 1) {
          expect((await exchange(session, token)).outcome).toBe('reused');
        }
      }
    },
  );

  it('serve two clients that raise and refresh in turn', async () => {
    const session = await started();
    const tabs = [session.refreshToken, session.refreshToken];
    for (let turn = 0; turn < 8; turn += 1) {
      const [one, other] = [turn % 2, (turn + 1) % 2] as const;
      tabs[one] = await raise(session);
      tabs[other] = await rotated(session, tabs[other]!);
      tabs[one] = await rotated(session, tabs[one]);
    }
  });

  it('end after the grace period when another one is exchanged later', async () => {
    const session = await started();
    const token = await raise(session);
    await later(session);
    expect(await lifeOf(session, token)).toBeGreaterThan(GRACE_MS);

    const next = await rotated(session, token);

    const left = await lifeOf(session, session.refreshToken);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(GRACE_MS);
    await later(session);
    expect(await lifeOf(session, session.refreshToken)).toBe(0);
    expect((await exchange(session, session.refreshToken)).outcome).toBe('reused');
    await rotated(session, next);
  });

  it('can still be exchanged within the grace period, which nothing extends', async () => {
    const session = await started();
    const [first, second] = [await raise(session), await raise(session)];
    await later(session);
    await rotated(session, first);
    await later(session, GRACE_MS / 2);

    const next = await rotated(session, session.refreshToken);
    await later(session, GRACE_MS / 2);

    expect((await exchange(session, second)).outcome).toBe('reused');
    await rotated(session, next);
  });

  it('are answered with their own successors when they are used again', async () => {
    const session = await started();
    const token = await raise(session);
    const own = [await rotated(session, session.refreshToken)];
    const raised = [await rotated(session, token)];
    own.push(await rotated(session, own[0]!));
    raised.push(await rotated(session, raised[0]!));

    for (const [presented, successors] of [
      [session.refreshToken, own],
      [token, raised],
    ] as const) {
      expect(await exchange(session, presented)).toMatchObject({
        outcome: 'replayed',
        sealedAnswers: successors.map((one) => one.reveal()),
      });
    }
  });

  it('end at once without a grace period', async () => {
    const session = await started();
    const token = await raise(session);
    expect((await exchange(session, token, { refreshGraceSeconds: 0 })).outcome).toBe('rotated');

    const { outcome } = await exchange(session, session.refreshToken, { refreshGraceSeconds: 0 });

    expect(outcome).toBe('reused');
  });

  it('are limited in number: the oldest end first, and the newest are valid', async () => {
    const session = await started();
    const tokens: Secret[] = [];
    for (let count = 0; count < 10; count += 1) {
      tokens.push(await raise(session));
    }

    const lives = await Promise.all(tokens.map(async (token) => lifeOf(session, token)));

    expect(lives.map((life) => life > 0)).toEqual(tokens.map((_, index) => index >= 2));
  });
});
