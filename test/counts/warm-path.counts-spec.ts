import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { resolve } from 'node:path';

import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { HttpClient, type TestUser } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { addTotp } from '../support/second-factors.js';
import { testVariables } from '../support/test-variables.js';

/**
 * Maximum allocated bytes. A decision allocates 584 and 672 bytes with Node 20, 22 and 24, and the smallest object would add 16.
 * A request allocates 28,700 to 29,320 with Node 20 and 22, and 24,770 to 24,990 with Node 24. If you reduce the allocations,
 * lower these limits.
 */
const MAX_BYTES = {
  recall: 588,
  guards: 678,
  request: Number.parseInt(process.versions.node, 10) < 24 ? 29_700 : 25_300,
};
/** Of one request, most of them of Nest and Fastify. */
const PROMISES = 18;

const DECISIONS = 1000;
const REQUESTS = 40;
/**
 * Background work only adds, so the minimum of several rounds contains none. Short rounds, because on a busy machine a long one always
 * contains some.
 */
const ROUNDS = 12;
const REQUESTS_OF_ROUND = 10;

const OPTIONS = [
  '--expose-gc',
  // Large enough for all allocations between two collections, in megabytes.
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
];

interface Counted {
  readonly promises: number;
  /** Commands to Redis. */
  readonly commands: number;
  /** In the memories with least recently used entries: the verified tokens, and the near cache. */
  readonly cacheLookUps: number;
  /** In all maps, including those of the caches. */
  readonly mapLookUps: number;
}

interface Decisions {
  readonly isRecalled: boolean;
  readonly isLetIn: boolean;
  readonly recall: number;
  readonly guards: number;
  readonly counted: Counted;
}

describe('a warm request', () => {
  let instance: ChildProcess;
  let api: HttpClient;
  let user: TestUser;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answer = async <Answer>(): Promise<Answer> => {
    const [message] = (await once(instance, 'message')) as [Answer];
    return message;
  };
  const ask = async <Answer>(question: string, rest: object = {}): Promise<Answer> => {
    const answered = answer<Answer>();
    instance.send({ question, ...rest });
    return answered;
  };
  /** The instance sheds load after it was busy, for example with a garbage collection on a busy machine. */
  const untilCalm = async (): Promise<unknown> =>
    eventually('the event loop is calm', 30_000, async () => ask<boolean>('isCalm'));
  beforeAll(async () => {
    const prefix = `t-${randomUUID().slice(0, 8)}:`;
    instance = fork(resolve('test/counts/warm-instance.js'), {
      execArgv: OPTIONS,
      // With the default log level.
      env: {
        PATH: process.env['PATH'],
        ...testVariables({
          ...WITH_ADMINISTRATOR,
          REDIS_KEY_PREFIX: prefix,
          LOG_LEVEL: 'info',
          NEAR_CACHE_LEASE: '60s',
        }),
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const { url } = await answer<{ url: string }>();
    await untilCalm();
    api = new HttpClient(url);
    user = await api.newUser();
    await api.ownUser(user.tokens.access_token);
  });
  afterAll(async () => {
    agent.destroy();
    const ended = once(instance, 'exit');
    instance.disconnect();
    await ended;
  });

  const read = async (path: string, { tokens } = user): Promise<void> => {
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const status = await new Promise((done, fail) => {
      get(`${api.url}${path}`, { agent, headers }, (response) => {
        response.resume().once('end', () => done(response.statusCode));
      }).once('error', fail);
    });
    expect([200, 204]).toContain(status);
  };
  const readOften = async (path: string, requests: number, by = user): Promise<void> => {
    for (let count = 0; count < requests; count += 1) {
      await read(path, by);
    }
  };
  const countOf = async (work: () => Promise<unknown>): Promise<Counted> => {
    await untilCalm();
    await ask('beginCount');
    await work();
    return ask<Counted>('endCount');
  };
  const inStoppedTime = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await ask('stopTime');
    try {
      return await work();
    } finally {
      await ask('startTime');
    }
  };

  it('is let in by the guard with one look-up of its token, and no more than this many bytes', async () => {
    const { access_token: token } = user.tokens;

    const decisions = await inStoppedTime(async () =>
      ask<Decisions>('decisions', { token, times: DECISIONS }),
    );

    expect(decisions).toMatchObject({ isRecalled: true, isLetIn: true });
    // Of the token and its key, and three for each of the two decorators of the route. None of the session and the key ring.
    expect(decisions.counted).toEqual({
      promises: 0,
      commands: 0,
      cacheLookUps: 1,
      mapLookUps: 2 + 2 * 3,
    });
    expect(decisions.recall).toBeLessThan(MAX_BYTES.recall);
    expect(decisions.guards).toBeLessThan(MAX_BYTES.guards);
  });

  it.each(['/api/user', '/forward-auth'])(
    'allocates no more than the limit, from one request to the next: %s',
    async (path) => {
      await readOften(path, REQUESTS);
      await ask('beginRequests');
      await untilCalm();

      await readOften(path, REQUESTS);

      // The median, because some requests share their time with background work.
      expect(await ask<number>('endRequests')).toBeLessThan(MAX_BYTES.request);
    },
  );

  it.each(['/api/user', '/forward-auth'])(
    `needs one look-up, no command to Redis, and ${PROMISES} promises: %s`,
    async (path) => {
      const rounds = await inStoppedTime(async () => {
        // The first read of a second looks up the session and the keys, too.
        await read(path);
        const counts: Counted[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          counts.push(await countOf(async () => readOften(path, REQUESTS_OF_ROUND)));
        }
        return counts;
      });
      const fewest = (name: keyof Counted): number => Math.min(...rounds.map((one) => one[name]));

      expect({
        promises: fewest('promises'),
        commands: fewest('commands'),
        cacheLookUps: fewest('cacheLookUps'),
      }).toEqual({
        promises: PROMISES * REQUESTS_OF_ROUND,
        commands: 0,
        cacheLookUps: REQUESTS_OF_ROUND,
      });
    },
  );

  it.each([true, false])(
    'costs the same with roles, and with a required second factor: %s',
    async (requireSecondFactor) => {
      const { body: root } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
      const clerk = await api.newUser();
      const asAdmin = async (method: string, path: string, body: object): Promise<void> => {
        const { status } = await api.request(method, path, { token: root.access_token, body });
        expect([200, 204]).toContain(status);
      };
      await asAdmin('PUT', '/api/roles/clerk', { permissions: [], requireSecondFactor });
      await asAdmin('PATCH', `/api/users/${clerk.id}`, { roles: ['clerk'] });
      if (requireSecondFactor) {
        await addTotp(api, clerk.tokens);
      }

      const rounds = await inStoppedTime(async () => {
        await read('/api/user/sessions', clerk);
        const counts: Counted[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          await read('/api/user', clerk);
          counts.push(await countOf(async () => readOften('/api/user', REQUESTS_OF_ROUND, clerk)));
        }
        return counts;
      });

      expect(Math.min(...rounds.map(({ promises }) => promises))).toBe(
        PROMISES * REQUESTS_OF_ROUND,
      );
      expect(Math.min(...rounds.map(({ commands }) => commands))).toBe(0);
      expect(Math.min(...rounds.map(({ cacheLookUps }) => cacheLookUps))).toBe(REQUESTS_OF_ROUND);
    },
  );

  it('is cheaper than the first request with a token, whose commands and look-ups are counted too', async () => {
    const { tokens } = await api.newUser();

    const counted = await countOf(async () => api.ownUser(tokens.access_token));

    expect(counted.commands).toBeGreaterThanOrEqual(3);
    expect(counted.promises).toBeGreaterThan(PROMISES);
    expect(counted.cacheLookUps).toBeGreaterThan(1);
  });
});
