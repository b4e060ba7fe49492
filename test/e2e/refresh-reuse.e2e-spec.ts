import { startDeployment, type Deployment } from '../support/deployment.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { backdateSpentTokens } from '../support/kept-answers.js';
import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const REUSED = 'refresh-token-reused';
/** The default. */
const GRACE_MS = 10_000;

/** An attacker has copied a spent refresh token, and sends it. */
describe('a spent refresh token', () => {
  let api: TestApp;
  let other: Instance;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  beforeAll(async () => {
    ({ api, other, expectEverywhere, stop } = await startDeployment());
  });
  afterAll(async () => stop());

  /** A user after a number of refreshes, with the tokens of every generation, the newest last. */
  const userWithGenerations = async (
    refreshes: number,
  ): Promise<{ user: TestUser; generations: Tokens[] }> => {
    const user = await api.newUser();
    const generations = [user.tokens];
    for (let count = 0; count < refreshes; count += 1) {
      generations.push((await api.refresh(generations.at(-1)!.refresh_token)).body);
    }
    return { user, generations };
  };
  const expectDead = async (generations: readonly Tokens[]): Promise<void> => {
    await expectEverywhere(401, ...generations);
    for (const { refresh_token } of generations) {
      expect((await other.refresh(refresh_token)).status).toBe(401);
      expect((await api.refresh(refresh_token)).status).toBe(401);
    }
  };
  const reuseOf = async ({ session_id }: Tokens): Promise<unknown[]> =>
    (await other.audited(REUSED)).filter(({ sessionId }) => sessionId === session_id);

  /** Lets the grace periods of the oldest generations expire. */
  const endGrace = async (
    { id: userId, tokens: { session_id: sessionId } }: TestUser,
    generations?: number,
  ): Promise<void> =>
    backdateSpentTokens(api.keyPrefix, { userId, sessionId }, GRACE_MS, generations);

  it.each([
    ['of an older generation', 3, 0],
    ['of the last generation', 1, 0],
    ['of the generation before the last', 2, 0],
    ['of a generation in between', 4, 2],
  ])('%s: the whole session ends, at once and on every instance (32, 35)', async (_, count, at) => {
    const { user, generations } = await userWithGenerations(count);
    const another = (await api.login(user.username)).body;
    // Every instance has cached them.
    await expectEverywhere(200, ...generations);
    // Newer tokens are still within their grace period.
    await endGrace(user, at + 1);

    const answer = await other.refresh(generations[at]!.refresh_token);

    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: 'invalid-refresh-token' });
    await expectDead(generations);
    // Only this session: the user's other sessions stay live.
    expect((await api.ownUser(another.access_token)).status).toBe(200);
    expect((await api.refresh(another.refresh_token)).status).toBe(200);
    // 32: recorded once, with the user and the address
    const { session_id: sessionId } = user.tokens;
    expect(await reuseOf(user.tokens)).toEqual([
      {
        type: REUSED,
        result: 'refused',
        reason: 'spent-token',
        userId: user.id,
        sessionId,
        actor: 'anonymous',
        ip: '127.0.0.1',
        requestId: expect.any(String) as unknown,
      },
    ]);
  });

  it('reports no reuse when the first response was lost', async () => {
    const { user, generations } = await userWithGenerations(0);
    const lost = await other.refresh(generations[0]!.refresh_token);
    expect((await other.refresh(generations[0]!.refresh_token)).body).toMatchObject({
      refresh_token: lost.body.refresh_token,
    });

    expect(await reuseOf(user.tokens)).toEqual([]);
    expect((await other.ownUser(lost.body.access_token)).status).toBe(200);
  });

  it('of any generation returns the newest tokens during its grace period, on every instance (33)', async () => {
    const { user, generations } = await userWithGenerations(3);
    const newest = generations.at(-1)!;

    for (const { refresh_token } of generations.slice(0, -1)) {
      for (const instance of [api, other]) {
        const { status, body } = await instance.refresh(refresh_token);
        expect({ status, body }).toEqual({
          status: 200,
          body: { ...newest, expires_in: expect.any(Number) as number },
        });
      }
    }

    expect(await reuseOf(user.tokens)).toEqual([]);
    await expectEverywhere(200, ...generations);
    expect((await other.refresh(newest.refresh_token)).status).toBe(200);
  });

  it('has its own grace period, which later retries and exchanges do not change (33)', async () => {
    const { user, generations } = await userWithGenerations(2);
    const [first, second] = generations as [Tokens, Tokens, Tokens];
    // A retry does not change the time at which the token was spent.
    await api.refresh(first.refresh_token);
    await endGrace(user, 1);
    const replayed = await api.refresh(second.refresh_token);
    expect(replayed.body.refresh_token).toBe(generations[2]!.refresh_token);
    const { body: next } = await api.refresh(replayed.body.refresh_token);
    expect((await other.refresh(second.refresh_token)).body.refresh_token).toBe(next.refresh_token);

    expect((await other.refresh(first.refresh_token)).status).toBe(401);

    await expectDead([...generations, next]);
  });

  it('reveals a second client with the same token after the grace period (35)', async () => {
    const { user, generations } = await userWithGenerations(2);
    await endGrace(user);
    const shared = generations.at(-1)!.refresh_token;
    const early = (await api.refresh(shared)).body;
    const later = (await other.refresh(early.refresh_token)).body;
    await endGrace(user, 1);

    expect((await other.refresh(shared)).status).toBe(401);

    await expectDead([...generations, early, later]);
    expect(await reuseOf(user.tokens)).toHaveLength(1);
  });

  it('of mixed generations, sent fifty times in parallel, keeps one refresh chain and causes no 5xx (34)', async () => {
    const { user, generations } = await userWithGenerations(3);
    const tokens = generations.map(({ refresh_token }) => refresh_token);

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? api : other).refresh(tokens[index % tokens.length]!),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(50).fill(200));
    // One call exchanged the newest token; earlier calls received that token.
    const successors = new Set(answers.map(({ body }) => body.refresh_token));
    successors.delete(tokens.at(-1)!);
    expect(successors.size).toBe(1);
    const [newest] = successors;
    for (const token of tokens) {
      expect((await api.refresh(token)).body.refresh_token).toBe(newest);
    }
    expect(await reuseOf(user.tokens)).toEqual([]);
    expect((await other.refresh(newest)).status).toBe(200);
  });

  it('ends the session for every client that has its successor (35)', async () => {
    const { user, generations } = await userWithGenerations(0);
    const [{ refresh_token: first }] = generations as [Tokens];
    const racers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? api : other).refresh(first)),
    );
    expect(racers.map(({ status }) => status)).toEqual(Array<number>(20).fill(200));
    expect(new Set(racers.map(({ body }) => body.refresh_token)).size).toBe(1);
    const [{ body: shared }] = racers as [Answer<Tokens>, ...Answer<Tokens>[]];
    const { body: next } = await api.refresh(shared.refresh_token);
    await endGrace(user, 1);

    expect((await other.refresh(first)).status).toBe(401);

    await expectDead([...generations, ...racers.map(({ body }) => body), next]);
  });

  it('is not logged, nor is any other token or password (90)', async () => {
    const { user, generations } = await userWithGenerations(2);
    await endGrace(user);
    for (const { refresh_token } of generations) {
      await other.refresh(refresh_token);
    }
    await other.refresh('a made-up token');
    await other.login(user.username);
    await other.login(user.username, 'not the password at all');

    expect(await reuseOf(user.tokens)).toHaveLength(1);
    const log = other.output();
    const secrets = generations.flatMap((one) =>
      [one.access_token, one.refresh_token].flatMap(segments),
    );
    for (const secret of [
      ...secrets,
      user.password,
      'not the password at all',
      'a made-up token',
    ]) {
      expect(log).not.toContain(secret);
      expect(log).not.toContain(Buffer.from(secret).toString('base64'));
      expect(log).not.toContain(encodeURIComponent(secret));
    }
    expect(log).not.toContain(user.username);
  });
});

/** The secret part of a token: without the ids at the beginning of a refresh token. */
function segments(token: string): string[] {
  return token.split('.').filter((segment) => segment.length > 36 || segment.length === 22);
}

describe('the grace period for a lost answer (33)', () => {
  let api: TestApp;
  afterEach(async () => api.close());

  const newTokens = async (grace: string): Promise<Tokens> => {
    api = await startTestApp({ REFRESH_GRACE: grace });
    return (await api.newUser()).tokens;
  };
  const expectEnded = async (...tokens: Tokens[]): Promise<void> => {
    for (const { access_token, refresh_token } of tokens) {
      expect((await api.ownUser(access_token)).status).toBe(401);
      expect((await api.refresh(refresh_token)).status).toBe(401);
    }
  };

  it('is off with REFRESH_GRACE=0: the second use ends the session', async () => {
    const tokens = await newTokens('0');
    const next = await api.refresh(tokens.refresh_token);
    expect(next.status).toBe(200);

    expect((await api.refresh(tokens.refresh_token)).status).toBe(401);

    await expectEnded(tokens, next.body);
  });

  it('is off with REFRESH_GRACE=0 for concurrent calls, too: one gets the successor', async () => {
    const tokens = await newTokens('0');

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api.refresh(tokens.refresh_token)),
    );

    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
    await expectEnded(tokens, won[0]!.body);
  });

  it('starts at the exchange; retries do not extend it', async () => {
    const tokens = await newTokens('1s');
    const begin = performance.now();
    const { body: next } = await api.refresh(tokens.refresh_token);

    await eventually('the grace is over', 5000, async () => {
      const { status, body } = await api.refresh(tokens.refresh_token);
      expect([next.refresh_token, undefined]).toContain(body.refresh_token);
      return status === 401;
    });

    expect(performance.now() - begin).toBeGreaterThan(900);
    await expectEnded(tokens, next);
  });
});

describe('an invalid grace period (33)', () => {
  it.each(['31s', '1h', '-1', 'none'])('cannot be %s', async (grace) => {
    await expect(startTestApp({ REFRESH_GRACE: grace })).rejects.toThrow('REFRESH_GRACE must be');
  });
});
