import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import {
  SESSION_LIMITS,
  SessionReader,
  UserReader,
  type Authentication,
  type NewSession,
  type RefreshOutcome,
} from '../../src/user-slot/read/index.js';
import { FactorWriter, SessionWriter } from '../../src/user-slot/write/index.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';
import { backdateReauthentication } from '../support/kept-answers.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { createdUser, startedSession } from '../support/started-session.js';

const GRACE_MS = 10_000;
const until = Deadline.none;
const WITHOUT_GRACE = { refreshGraceSeconds: 0 };
const RAISED: Authentication = { time: PASSWORD_LOGIN.time + 700, methods: ['pwd', 'otp', 'mfa'] };

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
  const raise = async (
    session: NewSession,
    authentication = RAISED,
    refreshToken = new Secret(randomUUID()),
    at = writer,
  ): Promise<Secret> => {
    const raised = { ...session, authentication, refreshToken };
    expect(await at.raise(raised, until)).toEqual({ outcome: 'raised' });
    return refreshToken;
  };
  const withLimits = (limits: Partial<typeof SESSION_LIMITS>): SessionWriter =>
    new SessionWriter(instance.redis, instance.cache, { ...SESSION_LIMITS, ...limits });
  /** The sealed answer of an exchange names its successor here, so that a replay shows where it leads. */
  const exchange = async (
    { userId, id: sessionId }: NewSession,
    presented: Secret,
    limits: Partial<typeof SESSION_LIMITS> = {},
  ): Promise<RefreshOutcome & { readonly successor: Secret }> => {
    const successor = new Secret(randomUUID());
    const result = await withLimits(limits).exchange(
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
  const authenticationOf = async (
    { userId, id }: NewSession,
    token: Secret,
  ): Promise<Authentication | undefined> =>
    new UserReader(instance.redis, instance.cache).authenticationOf(userId, id, token, until);
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
    expect((await exchange(session, token, WITHOUT_GRACE)).outcome).toBe('rotated');

    const { outcome } = await exchange(session, session.refreshToken, WITHOUT_GRACE);

    expect(outcome).toBe('reused');
  });

  it('are one if there is no grace period: the former ones end with the reauthentication', async () => {
    const session = await started();
    const token = await raise(session, RAISED, undefined, withLimits(WITHOUT_GRACE));

    expect(await lifeOf(session, session.refreshToken)).toBe(0);
    expect(await authenticationOf(session, session.refreshToken)).toBeUndefined();
    const { outcome } = await exchange(session, session.refreshToken, WITHOUT_GRACE);
    expect(outcome).toBe('reused');
    const next = await exchange(session, token, WITHOUT_GRACE);
    expect(next.outcome).toBe('rotated');
    expect(await authenticationOf(session, next.successor)).toEqual(RAISED);
  });

  describe('keep the authentication from which they come', () => {
    it('over all exchanges: a thief with a former token does not get a later one (43)', async () => {
      const session = await started();
      let stolen = await rotated(session, session.refreshToken);
      let own = await raise(session);

      for (let turn = 0; turn < 3; turn += 1) {
        const spent = [stolen, own] as const;
        stolen = await rotated(session, stolen);
        expect(await authenticationOf(session, stolen)).toEqual(PASSWORD_LOGIN);
        expect(await authenticationOf(session, own)).toEqual(RAISED);
        own = await rotated(session, own);
        // Also a replay may need a new access token.
        for (const former of [session.refreshToken, spent[0], stolen]) {
          expect(await authenticationOf(session, former)).toEqual(PASSWORD_LOGIN);
        }
        for (const raised of [spent[1], own]) {
          expect(await authenticationOf(session, raised)).toEqual(RAISED);
        }
        await later(session, turn * GRACE_MS);
      }
    });

    it('with two tabs that raise and refresh in turn', async () => {
      const session = await started();
      const tabs = [session.refreshToken, session.refreshToken];
      const proved = [PASSWORD_LOGIN, PASSWORD_LOGIN];
      for (let turn = 0; turn < 8; turn += 1) {
        const [one, other] = [turn % 2, (turn + 1) % 2] as const;
        proved[one] = { time: RAISED.time + turn, methods: turn % 3 === 0 ? ['pwd'] : ['otp'] };
        tabs[one] = await raise(session, proved[one]);
        tabs[other] = await rotated(session, tabs[other]!);
        tabs[one] = await rotated(session, tabs[one]);

        const seen = await Promise.all(tabs.map(async (tab) => authenticationOf(session, tab)));
        expect(seen).toEqual(proved);
      }
    });

    it('when the call that raised the session runs again', async () => {
      const session = await started();
      const first = await raise(session);
      const second = await raise(session, PASSWORD_LOGIN);

      await raise(session, RAISED, first);

      expect(await authenticationOf(session, first)).toEqual(RAISED);
      expect(await authenticationOf(session, second)).toEqual(PASSWORD_LOGIN);
      expect(await authenticationOf(session, session.refreshToken)).toEqual(PASSWORD_LOGIN);
    });

    it('except for a removed factor, which none of them names', async () => {
      const session = await started();
      const { userId, id: exceptSessionId } = session;
      const tokens = [await raise(session), await raise(session), await raise(session)];
      const factors = new FactorWriter(instance.redis, instance.cache);
      const factor = { id: randomUUID(), type: 'totp', name: '', isConfirmed: true, state: 'x' };
      await factors.add(userId, factor, exceptSessionId, until);

      await factors.remove(userId, factor.id, 'recovery-code', { exceptSessionId }, until);

      for (const token of tokens) {
        expect(await authenticationOf(session, token)).toEqual({ ...RAISED, methods: ['pwd'] });
      }
    });

    it('and a token that may not be exchanged has none', async () => {
      const session = await started();
      await raise(session);
      expect(await authenticationOf(session, new Secret('unknown'))).toBeUndefined();

      await writer.end(session.userId, session.id, until);

      expect(await authenticationOf(session, session.refreshToken)).toBeUndefined();
    });
  });

  it('are limited in number: the oldest end first, and the newest are valid', async () => {
    const session = await started();
    const tokens: Secret[] = [];
    for (let count = 0; count < 10; count += 1) {
      tokens.push(await raise(session));
    }

    const lives = await Promise.all(tokens.map(async (token) => lifeOf(session, token)));

    expect(lives.map((life) => life > 0)).toEqual(tokens.map((_, index) => index >= 1));
  });
});
