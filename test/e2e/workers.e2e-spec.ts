import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';

import { createApp } from '../../src/bootstrap/create-app.js';
import { untilReady } from '../../src/bootstrap/until-ready.js';
import { leavePorts } from '../../src/bootstrap/workers/leave-ports.js';
import { MetricsRegistry } from '../../src/metrics/index.js';
import { freePort } from '../support/free-port.js';
import { HttpClient } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { eventually } from '../support/own-cluster.js';
import { childrenOf, isWorker } from '../support/processes.js';
import { SteadyLoad } from '../support/steady-load.js';
import { testSettings } from '../support/test-app.js';

/** New processes start slowly while the load takes the cores. */
const RESTART_TIMEOUT_MS = 120_000;
const RESTART_TEST_TIMEOUT_MS = 180_000;
const CONNECTIONS = 8;

interface Line {
  readonly worker?: number;
  readonly pid: number;
  readonly msg?: string;
  readonly requestId?: string;
}

const linesOf = (instance: Instance): Line[] =>
  instance
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
const timesLogged = (instance: Instance, msg: string): number =>
  linesOf(instance).filter((line) => line.msg === msg).length;
const workersOf = (instance: Instance): number[] => childrenOf(instance.pid!);

interface KeptConnection {
  readonly socket: Socket;
  /** @returns the head and the body of the response */
  readonly get: (path: string) => Promise<string>;
}

/** One connection that was used for a request, and that the server keeps for more. */
async function openKeptConnection(url: string): Promise<KeptConnection> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  const get = async (path: string): Promise<string> => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const [answer] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [
      unknown,
    ];
    return String(answer);
  };
  const answer = await get('/health/live');
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  return { socket, get };
}

const start = async (variables: Record<string, string> = {}): Promise<Instance> =>
  Instance.start({
    WORKERS: '2',
    LOG_LEVEL: 'info',
    REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:`,
    ...variables,
  });

describe('an instance with WORKERS=2', () => {
  let instance: Instance;
  let management: HttpClient;
  beforeAll(async () => {
    const port = await freePort();
    instance = await start({ MANAGEMENT_PORT: String(port) });
    management = new HttpClient(`http://127.0.0.1:${port}`);
  });
  afterAll(async () => instance.stop());

  const metrics = async (): Promise<string> =>
    (await management.request<string>('GET', '/metrics')).body;
  const untilBothListen = async (): Promise<unknown> =>
    eventually('both workers listen', RESTART_TIMEOUT_MS, async () => {
      const text = await metrics();
      return ['1', '2'].every((worker) =>
        text.includes(`keyslot_near_cache_lease_held{worker="${worker}"} 1`),
      );
    });
  const exits = async (): Promise<number> =>
    Number(/^keyslot_worker_exits_total (\d+)$/m.exec(await metrics())![1]);

  /** One keep-alive connection, which one worker serves. */
  const connection = (): { get(path: string, token?: string): Promise<[number, string]> } => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return {
      get: async (path, token) =>
        new Promise((resolve, reject) => {
          const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
          request(instance.url + path, { agent, headers }, (response) => {
            const id = String(response.headers['x-request-id']);
            void textOf(response).then(() => resolve([response.statusCode!, id]), reject);
          })
            .once('error', reject)
            .end();
        }),
    };
  };
  /** Two connections to different workers. */
  const connectionToEach = async () => {
    const both = [connection(), connection()] as const;
    const ids = await Promise.all(both.map(async (one) => (await one.get('/health/live'))[1]));
    const lines = (): Line[] =>
      ids.flatMap((id) => linesOf(instance).find(({ requestId }) => requestId === id) ?? []);
    await eventually('the lines have arrived', RESTART_TIMEOUT_MS, () =>
      Promise.resolve(lines().length === 2),
    );
    const workers = lines().map(({ worker }) => worker);
    expect([...workers].sort()).toEqual([1, 2]);
    return both;
  };

  it('serves one port with two processes, and writes one log in which each line names its worker', async () => {
    expect(workersOf(instance)).toHaveLength(2);
    await connectionToEach();
    const load = new SteadyLoad({
      url: instance.url,
      path: '/not-a-route',
      connections: CONNECTIONS,
      keepAlive: true,
    });
    await eventually('many lines are written', RESTART_TIMEOUT_MS, () =>
      Promise.resolve(load.answered > 2000),
    );
    await load.stop();
    const answered = (): Line[] => linesOf(instance).filter(({ msg }) => msg === 'answered');
    await eventually('every line has arrived', RESTART_TIMEOUT_MS, () =>
      Promise.resolve(answered().length >= load.answered),
    );

    const lines = answered();
    const pidsOf = (worker: number): Set<number> =>
      new Set(lines.filter((line) => line.worker === worker).map(({ pid }) => pid));
    expect([...pidsOf(1), ...pidsOf(2)].sort()).toEqual(workersOf(instance).sort());
    expect(lines.filter(({ worker }) => worker !== 1 && worker !== 2)).toEqual([]);
  });

  it('returns the metrics of both workers at one scrape, on each port', async () => {
    const [one, two] = await connectionToEach();
    await one.get('/api/user');
    await two.get('/api/user');
    for (const client of [instance, management]) {
      const { body } = await client.request<string>('GET', '/metrics');
      for (const worker of ['1', '2']) {
        expect(body).toMatch(
          new RegExp(
            `^keyslot_http_request_duration_seconds_count\\{method="GET",route="/api/user",status="401",worker="${worker}"\\} 1$`,
            'm',
          ),
        );
        expect(body).toContain(`keyslot_near_cache_lease_held{worker="${worker}"} 1`);
        expect(body).toContain(`process_start_time_seconds{worker="${worker}"}`);
      }
      expect(body.match(/^# TYPE keyslot_near_cache_lease_held /gm)).toHaveLength(1);
      expect(body).toContain('keyslot_worker_exits_total 0');
    }
  });

  it('refuses a token at both workers as soon as one of them has answered the logout', async () => {
    const [one, two] = await connectionToEach();
    for (let round = 0; round < 20; round += 1) {
      const { tokens } = await instance.newUser();
      const token = tokens.access_token;
      expect([
        (await one.get('/api/user', token))[0],
        (await two.get('/api/user', token))[0],
      ]).toEqual([200, 200]);

      expect((await instance.logout(token)).status).toBe(204);

      expect([
        (await one.get('/api/user', token))[0],
        (await two.get('/api/user', token))[0],
      ]).toEqual([401, 401]);
    }
  });

  it(
    'restarts its workers on SIGHUP without a failed request, and stays ready',
    async () => {
      const { tokens } = await instance.newUser();
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      const target = { url: instance.url, path: '/api/user', headers, connections: CONNECTIONS };
      const before = workersOf(instance);
      const loads = [
        new SteadyLoad({ ...target, keepAlive: true }),
        new SteadyLoad({ ...target, keepAlive: false }),
        new SteadyLoad({
          url: management.url,
          path: '/health/ready',
          connections: 1,
          keepAlive: false,
        }),
      ];

      instance.hangUp();
      await eventually('the workers were restarted', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(timesLogged(instance, 'all workers were restarted') === 1),
      );
      await Promise.all(loads.map(async (load) => load.stop()));

      for (const load of loads) {
        expect(load.errors).toEqual([]);
        expect([...load.answers.keys()]).toEqual([200]);
        expect(load.answered).toBeGreaterThan(10);
      }
      const after = workersOf(instance);
      expect(after).toHaveLength(2);
      expect(after.filter((pid) => before.includes(pid))).toEqual([]);
      expect(await exits()).toBe(0);
    },
    RESTART_TEST_TIMEOUT_MS,
  );

  it(
    'restarts them again on a second SIGHUP, although a new worker does not become ready',
    async () => {
      const before = workersOf(instance);
      const timesRestarted = timesLogged(instance, 'all workers were restarted');
      const added = (): number[] => workersOf(instance).filter((pid) => !before.includes(pid));

      instance.hangUp();
      await eventually('a new worker starts', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(added().some(isWorker)),
      );
      const [paused] = added();
      process.kill(paused!, 'SIGSTOP');
      instance.hangUp();
      await eventually('the workers were restarted', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(timesLogged(instance, 'all workers were restarted') > timesRestarted),
      );

      expect(workersOf(instance)).toHaveLength(2);
      expect(added()).toHaveLength(2);
      expect(added()).not.toContain(paused);
      expect(instance.output()).toContain('It was not ready when the next restart was requested.');
    },
    RESTART_TEST_TIMEOUT_MS,
  );

  it(
    'replaces a worker that was killed, while the other one serves',
    async () => {
      const [killed, other] = workersOf(instance);
      const before = await exits();
      // Not the readiness, which also depends on how soon Redis answers while the new process takes the cores.
      const target = { url: instance.url, path: '/health/live', connections: CONNECTIONS };
      const during = new SteadyLoad({ ...target, keepAlive: false });
      await eventually('requests are answered', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(during.answered > 100),
      );

      process.kill(killed!, 'SIGKILL');
      await eventually('it is gone', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(!workersOf(instance).includes(killed!)),
      );
      await during.stop();
      const after = new SteadyLoad({ ...target, keepAlive: false });
      await untilBothListen();
      await after.stop();

      // Its connections are closed at once, also the one that it had not accepted yet.
      expect(during.errors.filter((code) => code !== 'ECONNRESET')).toEqual([]);
      expect([...during.answers.keys()]).toEqual([200]);
      expect(after.errors).toEqual([]);
      expect([...after.answers.keys()]).toEqual([200]);
      expect(workersOf(instance)).toHaveLength(2);
      expect(workersOf(instance)).toContain(other);
      expect(await exits()).toBe(before + 1);
    },
    RESTART_TEST_TIMEOUT_MS,
  );

  it(
    'replaces a worker as soon as the operating system gives it a process, and goes on with the other one',
    async () => {
      const [killed, other] = workersOf(instance);
      const limit = (files: string): Buffer =>
        execFileSync('prlimit', ['--pid', String(instance.pid), `--nofile=${files}:`]);
      const [, allowed] = /^Max open files +(\d+)/m.exec(
        readFileSync(`/proc/${instance.pid}/limits`, 'utf8'),
      )!;

      limit('3');
      process.kill(killed!, 'SIGKILL');
      await eventually('the process is refused', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(/could not be started \(spawn \S+ EMFILE\)/.test(instance.output())),
      );
      limit(allowed!);
      await untilBothListen();

      expect(workersOf(instance)).toHaveLength(2);
      expect(workersOf(instance)).toContain(other);
    },
    RESTART_TEST_TIMEOUT_MS,
  );
});

describe('a worker of an instance with WORKERS=2', () => {
  it(
    'is replaced when it does not respond any more',
    async () => {
      const instance = await start();
      const [paused, other] = workersOf(instance);
      const load = new SteadyLoad({
        url: instance.url,
        path: '/health/live',
        connections: 2,
        keepAlive: false,
      });

      process.kill(paused!, 'SIGSTOP');
      await eventually('it is replaced', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(!workersOf(instance).includes(paused!)),
      );
      await load.stop();
      await eventually('the reason is logged', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(instance.output().includes('The worker did not respond any more.')),
      );

      expect(workersOf(instance)).toContain(other);
      expect([...load.answers.keys()]).toEqual([200]);
      await instance.stop();
    },
    RESTART_TEST_TIMEOUT_MS,
  );

  it('answers on each port the next request of a connection that it keeps, when it leaves', async () => {
    const port = await freePort();
    const app = await createApp(testSettings({ MANAGEMENT_PORT: String(port) }));
    await app.listen(0, '127.0.0.1');
    await untilReady(app);
    const kept = await Promise.all(
      [await app.getUrl(), `http://127.0.0.1:${port}`].map(openKeptConnection),
    );
    const busy = await openKeptConnection(`http://127.0.0.1:${port}`);
    const scrape = busy.get('/metrics');

    const left = leavePorts(app.getHttpAdapter().getInstance());
    const answers = await Promise.all([
      scrape,
      ...kept.map(async ({ get }) => get('/health/live')),
    ]);

    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    }
    for (const answer of answers.slice(1)) {
      expect(answer).toMatch(/^connection: close\r$/im);
    }
    await left;
    await expect(openKeptConnection(`http://127.0.0.1:${port}`)).rejects.toThrow('ECONNREFUSED');
    await app.close();
  });

  it('hashes as many passwords at the same time as the settings say', async () => {
    const settings = testSettings({ REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:` });
    const passwords = { ...settings.passwords, concurrentHashes: 2 };
    const app = await createApp({ ...settings, passwords });
    await app.listen(0, '127.0.0.1');
    await untilReady(app);
    const client = new HttpClient(await app.getUrl());
    const registry = app.get(MetricsRegistry);
    const seen = new Set<number>();

    const answers = Promise.all(
      Array.from({ length: 8 }, async (_, index) => client.register(`user-${index}`)),
    );
    await eventually('two are being hashed', RESTART_TIMEOUT_MS, async () => {
      const text = await registry.getSingleMetricAsString('keyslot_password_hashing_running');
      seen.add(Number(text.trim().split(' ').at(-1)));
      return seen.has(2);
    });
    await answers;

    expect(Math.max(...seen)).toBe(2);
    await app.close();
  });
});

describe('an instance with WORKERS=2 that ends', () => {
  let instance: Instance;
  beforeEach(async () => (instance = await start()));
  afterEach(async () => instance.stop());

  it('answers requests in progress at SIGTERM, exits with code 0, and leaves no process', async () => {
    const pids = workersOf(instance);
    const answers = Array.from({ length: 8 }, async (_, index) =>
      instance.register(`user-${index}`),
    );
    await eventually('a request was answered', RESTART_TIMEOUT_MS, () =>
      Promise.resolve(timesLogged(instance, 'answered') > 0),
    );

    await instance.stop();

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect(instance.exitCode).toBe(0);
    for (const pid of pids) {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    }
  });

  it('does not report a restart as done that SIGTERM interrupts', async () => {
    const startOfFirst = async (): Promise<string | undefined> => {
      const { body } = await instance.request<string>('GET', '/metrics');
      return /^process_start_time_seconds\{worker="1"\} (\d+)$/m.exec(body)?.[1];
    };
    const before = await startOfFirst();
    // An old worker leaves after its idle connections were closed, which takes some seconds.
    const idle = await Promise.all(
      Array.from({ length: 4 }, async () => openKeptConnection(instance.url)),
    );

    instance.hangUp();
    await eventually('the first worker is replaced', RESTART_TIMEOUT_MS, async () => {
      const now = await startOfFirst();
      return now !== undefined && now !== before;
    });
    await instance.stop();

    expect(instance.exitCode).toBe(0);
    expect(timesLogged(instance, 'restarting the workers')).toBe(1);
    expect(timesLogged(instance, 'the restart of the workers was interrupted')).toBe(1);
    expect(timesLogged(instance, 'all workers were restarted')).toBe(0);
    expect(instance.output()).not.toContain('could not be restarted');
    idle.forEach(({ socket }) => socket.destroy());
  });

  it('leaves no worker when the primary process is killed', async () => {
    const pids = workersOf(instance);

    await instance.kill();

    await eventually('the workers have ended', RESTART_TIMEOUT_MS, () =>
      Promise.resolve(
        pids.every((pid) => {
          try {
            return !process.kill(pid, 0);
          } catch {
            return true;
          }
        }),
      ),
    );
  });

  it('exits with code 1 when a worker ends again and again, right after its start', async () => {
    const kept = workersOf(instance)[0]!;

    await eventually('the instance gives up', RESTART_TIMEOUT_MS, () => {
      workersOf(instance)
        .filter((pid) => pid !== kept)
        .forEach((pid) => process.kill(pid, 'SIGKILL'));
      return Promise.resolve(instance.hasEnded);
    });

    expect(instance.exitCode).toBe(1);
    expect(instance.output()).toContain('A worker ends again and again');
    expect(() => process.kill(kept, 0)).toThrow('ESRCH');
  });
});

describe('the start of workers', () => {
  it(
    'continues with its workers when the settings at SIGHUP are invalid, and reads valid ones',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'keyslot-workers-'));
      const file = join(folder, 'secret');
      const secret = 'a secret of several workers, which a file holds';
      writeFileSync(file, secret);
      const other = await start({ KEY_ENCRYPTION_SECRET: '', KEY_ENCRYPTION_SECRET_FILE: file });
      const before = workersOf(other);

      writeFileSync(file, 'short');
      other.hangUp();
      await eventually('the mistake is logged', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(other.output().includes('KEY_ENCRYPTION_SECRET must be at least')),
      );
      expect(workersOf(other)).toEqual(before);
      expect((await other.register('somebody')).status).toBe(201);

      writeFileSync(file, secret);
      other.hangUp();
      await eventually('the workers were restarted', RESTART_TIMEOUT_MS, () =>
        Promise.resolve(timesLogged(other, 'all workers were restarted') === 1),
      );
      rmSync(folder, { recursive: true });
      await other.stop();
    },
    RESTART_TEST_TIMEOUT_MS,
  );

  it('ends at SIGTERM, with code 0, while a worker loads its program', async () => {
    const instance = await Instance.launch({ WORKERS: '2' });
    await eventually('the second worker starts', RESTART_TIMEOUT_MS, () =>
      Promise.resolve(workersOf(instance).length === 2),
    );
    const pids = workersOf(instance);

    await instance.stop();

    expect(instance.exitCode).toBe(0);
    for (const pid of pids) {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    }
  });

  it('reports an error at the start once, and exits with code 1', async () => {
    const prefix = { REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:` };
    const first = await start({ ...prefix, WORKERS: '1' });

    const failure = await start({ ...prefix, KEY_ENCRYPTION_SECRET: randomUUID() }).then(
      () => 'none',
      ({ message }: Error) => message,
    );
    await first.stop();

    expect(failure.match(/KEY_ENCRYPTION_SECRET/g)).toHaveLength(1);
    expect(failure).not.toMatch(/\n\s+at /);
  });
});

describe('an application whose metric throws in one of two workers', () => {
  let folder: string;
  let instance: Instance | undefined;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'keyslot-workers-'))));
  afterEach(async () => {
    await instance?.stop();
    rmSync(folder, { recursive: true });
  });

  it('returns the metrics of the other one, and tells which worker is missing', async () => {
    const program = join(folder, 'main.mjs');
    writeFileSync(
      program,
      `import cluster from 'node:cluster';
      import { run } from '${resolve('dist/bootstrap/run.js')}';
      import { MetricsRegistry } from '${resolve('dist/metrics/index.js')}';
      const depth = () => {
        if (cluster.worker.id === 2) throw new Error('The depth is unknown.');
        return 7;
      };
      await run({ configure: (app) => app.get(MetricsRegistry).gauge('depth', 'How deep.', depth) });`,
    );
    instance = await Instance.start({ WORKERS: '2', LOG_LEVEL: 'info' }, program);

    // New connections go to the workers in turn.
    for (let scrape = 0; scrape < 4; scrape += 1) {
      const headers = { connection: 'close' };
      const { status, body } = await instance.request<string>('GET', '/metrics', { headers });
      expect(status).toBe(200);
      expect(body).toContain('depth{worker="1"} 7');
      expect(body).toContain('keyslot_near_cache_lease_held{worker="1"} 1');
      expect(body).toContain('keyslot_worker_metrics_read{worker="1"} 1');
      expect(body).toContain('keyslot_worker_metrics_read{worker="2"} 0');
      expect(body).not.toContain('lease_held{worker="2"}');
    }
    const isLogged = ({ msg, worker }: Line): boolean =>
      msg === 'The metrics of this worker could not be read.' && worker === 2;
    expect(linesOf(instance).filter(isLogged)).toHaveLength(4);
  });
});

describe('an instance with WORKERS=1', () => {
  it('is one process, whose log and metrics name no worker', async () => {
    const instance = await Instance.start({ LOG_LEVEL: 'info' });

    await instance.logged();
    const { body } = await instance.request<string>('GET', '/metrics');

    expect(workersOf(instance)).toEqual([]);
    expect(linesOf(instance).filter(({ worker }) => worker !== undefined)).toEqual([]);
    expect(body).not.toContain('worker');
    await instance.stop();
  });

  it('ignores SIGHUP, because it cannot replace its worker while it serves, and logs that', async () => {
    const instance = await Instance.start({ LOG_LEVEL: 'info' });

    instance.hangUp();
    await eventually('the signal is logged', RESTART_TIMEOUT_MS, () =>
      Promise.resolve(
        instance.hasEnded || instance.output().includes('SIGHUP was ignored: a single worker'),
      ),
    );

    expect((await instance.request('GET', '/health/live')).status).toBe(200);
    await instance.stop();
    expect(instance.exitCode).toBe(0);
  });
});
