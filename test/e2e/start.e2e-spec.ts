import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HttpClient, type TestUser } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { keysByMaster } from '../support/redis.js';
import { startTestApp } from '../support/test-app.js';

const PORT = 21_500;
/** The development server compiles three times, while other test files run. */
const DEV_TIMEOUT_MS = 240_000;

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
  /** Waits until the output contains the text, or the program exits. */
  until(text: string): Promise<void>;
}

/** Uses `npm start` as a user does: real processes, a real port, Ctrl-C. */
describe('npm start', () => {
  let dataDirectory: string;
  const running: Run[] = [];

  beforeEach(() => {
    dataDirectory = mkdtempSync(join(tmpdir(), 'keyslot-start-'));
  });
  afterEach(async () => {
    for (const run of running.splice(0)) {
      run.child.kill('SIGTERM');
      await run.ended;
    }
    rmSync(dataDirectory, { recursive: true, force: true });
  });

  const start = (
    command: string,
    args: string[],
    variables: Record<string, string> = {},
    cwd = process.cwd(),
  ): Run => {
    const child = spawn(command, args, {
      cwd,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        DATA_DIRECTORY: dataDirectory,
        PORT: String(PORT),
        ...variables,
      },
    });
    let output = '';
    let notice = (): void => undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += String(data);
        notice();
      });
    }
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const until = async (text: string): Promise<void> => {
      const seen = new Promise<void>((resolve) => {
        notice = () => (output.includes(text) ? resolve() : undefined);
        notice();
      });
      await Promise.race([seen, ended]);
      if (!output.includes(text)) {
        throw new Error(`"${text}" was not printed, but:\n${output}`);
      }
    };
    const run: Run = { child, ended, output: () => output, until };
    running.push(run);
    return run;
  };
  const npmStart = (variables?: Record<string, string>): Run => start('npm', ['start'], variables);
  /** The ids of the processes whose working directory is in the folder, such as redis-server. */
  const processesIn = (directory: string): string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
      } catch {
        return false; // no process, or it has exited
      }
    });

  it('prints its URLs, leaves no processes after Ctrl-C, and keeps users across a restart', async () => {
    const api = new HttpClient(`http://127.0.0.1:${PORT}`);
    const first = npmStart();
    await first.until('Swagger UI');
    expect(first.output()).toContain(`${api.url}/docs`);
    expect(first.output()).toContain(`${api.url}/api`);
    expect(first.output()).toContain(`${api.url}/console`);
    expect(processesIn(dataDirectory)).toHaveLength(6);
    const user: TestUser = await api.newUser('yesterday');

    first.child.kill('SIGINT');

    expect(await first.ended).toBe(0);
    expect(processesIn(dataDirectory)).toHaveLength(0);

    await npmStart().until('Swagger UI');
    expect((await api.ownUser(user.tokens.access_token)).status).toBe(200);
    expect((await api.login('yesterday')).status).toBe(200);
    // 90, 93: neither the log nor the process list contains a secret
    const secrets = ['password', 'key-encryption-secret'].map((name) =>
      readFileSync(join(dataDirectory, name === 'password' ? 'cluster/password' : name), 'utf8'),
    );
    secrets.push(user.password, user.tokens.access_token, user.tokens.refresh_token);
    const processes = processesIn(dataDirectory).flatMap((pid) =>
      ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1')),
    );
    const seen = running.map((run) => run.output()).join() + processes.join();
    for (const secret of secrets) {
      expect(seen).not.toContain(secret);
    }
  });

  it('with WORKERS=2: starts one cluster for both, and leaves no processes after Ctrl-C', async () => {
    const run = npmStart({ WORKERS: '2' });
    await run.until('Swagger UI');
    const { body } = await new HttpClient(`http://127.0.0.1:${PORT}`).request<string>(
      'GET',
      '/metrics',
    );

    expect(body).toContain('keyslot_near_cache_lease_held{worker="1"} 1');
    expect(body).toContain('keyslot_near_cache_lease_held{worker="2"} 1');
    expect(processesIn(dataDirectory)).toHaveLength(6);
    const secrets = ['cluster/password', 'key-encryption-secret'].map((name) =>
      readFileSync(join(dataDirectory, name), 'utf8').trim(),
    );
    const environments = readdirSync('/proc').flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/environ`, 'latin1')];
      } catch {
        return []; // no process, or one of another user
      }
    });
    const ofInstance = environments.filter((text) => text.includes(dataDirectory));
    expect(ofInstance.length).toBeGreaterThanOrEqual(3);
    for (const secret of secrets) {
      expect(ofInstance.join()).not.toContain(secret);
    }

    // A terminal sends it to every process, and npm forwards it.
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');

    expect(await run.ended).toBe(0);
    expect(processesIn(dataDirectory)).toHaveLength(0);
    expect(run.output()).not.toContain('A worker has ended');
  });

  /** A copy of the project for a test that builds: other tests use the build of this checkout. */
  const copyOfProject = (): string => {
    const copy = join(dataDirectory, 'project');
    // With the build, so that only the watcher compiles.
    const files = readdirSync('.').filter((name) => /^(src|dist|.*\.json)$/.test(name));
    for (const file of files) {
      cpSync(file, join(copy, file), { recursive: true, preserveTimestamps: true });
    }
    symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
    return copy;
  };

  const expectCleanStop = async (run: Run): Promise<void> => {
    expect(processesIn(dataDirectory).length).toBeGreaterThanOrEqual(6);

    // Twice, because the terminal and npm both send it.
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');

    expect(await run.ended).toBe(0);
    expect(processesIn(dataDirectory)).toHaveLength(0);
  };

  it('leaves no processes after Ctrl-C during the start of the cluster', async () => {
    const run = npmStart();
    await run.until('Starting the embedded Redis Cluster');
    await eventually('the nodes are being started', 10_000, () =>
      Promise.resolve(processesIn(dataDirectory).length > 0),
    );

    run.child.kill('SIGINT');

    expect(await run.ended).toBe(0);
    expect(processesIn(dataDirectory)).toEqual([]);
    expect(run.output()).not.toContain('Keyslot is ready');
  });

  it('with WORKERS=2: ignores SIGHUP during the start of the cluster, and logs that', async () => {
    const run = start(process.execPath, ['dist/main.js'], { WORKERS: '2' });
    await run.until('Starting the embedded Redis Cluster');
    await eventually('the nodes are being started', 10_000, () =>
      Promise.resolve(processesIn(dataDirectory).length > 0),
    );

    run.child.kill('SIGHUP');

    await run.until('SIGHUP was ignored: the workers have not started yet');
    await run.until('Swagger UI');
    expect(run.output()).not.toContain('restarting the workers');
  });

  it.each(['1', '2'])('with WORKERS=%s: stops when its terminal is closed', async (workers) => {
    const command = `exec ${process.execPath} dist/main.js`;
    const run = start('script', ['-qfec', command, '/dev/null'], { WORKERS: workers });
    await run.until('Swagger UI');
    expect(processesIn(dataDirectory)).toHaveLength(6);

    run.child.kill('SIGKILL');

    await eventually('the nodes have stopped', 20_000, () =>
      Promise.resolve(processesIn(dataDirectory).length === 0),
    );
  });

  it('run cluster: leaves no processes after Ctrl-C', async () => {
    const run = start('npm', ['run', 'cluster']);
    await run.until('The Redis Cluster is ready');

    await expectCleanStop(run);
  });

  it(
    'run start:dev: reloads a saved change, and leaves no processes after Ctrl-C',
    async () => {
      const project = copyOfProject();
      const run = start('npm', ['run', 'start:dev'], {}, project);
      await run.until('Swagger UI');
      const file = join(project, 'src/health/health.controller.ts');

      writeFileSync(file, readFileSync(file, 'utf8').replace("@Get('live')", "@Get('alive')"));

      const api = new HttpClient(`http://127.0.0.1:${PORT}`);
      await eventually('the change is there', 90_000, () =>
        api.request('GET', '/health/alive').then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      await expectCleanStop(run);
    },
    DEV_TIMEOUT_MS,
  );

  it('drains: a request that is in progress when the signal arrives is answered', async () => {
    const run = npmStart({ PASSWORD_MIN_LENGTH: '8' });
    await run.until('Swagger UI');
    const api = new HttpClient(`http://127.0.0.1:${PORT}`);

    const answers = Array.from({ length: 10 }, (_, index) => api.register(`user-${index}`));
    await run.until('answered');
    run.child.kill('SIGTERM');

    for (const { status } of await Promise.all(answers)) {
      expect(status).toBe(201);
    }
    expect(await run.ended).toBe(0);
  });

  it('reports all invalid settings at once, without their values', async () => {
    const run = npmStart({ PORT: 'hunter2', ACCESS_TOKEN_TTL: '2h', REDIS_TLS: 'perhaps' });

    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('PORT must be a port from 0 to 65535');
    expect(run.output()).toContain('ACCESS_TOKEN_TTL must be a duration');
    expect(run.output()).toContain('REDIS_TLS must be true or false');
    expect(run.output()).not.toContain('hunter2');
    expect(run.output()).not.toContain('    at ');
  });

  it.each([
    ['PORT', 'The API port is in use by another program'],
    ['MANAGEMENT_PORT', 'The management port is in use by another program'],
  ])('reports that its %s is in use', async (name, message) => {
    const other = await startTestApp();
    const run = start(process.execPath, ['dist/main.js'], {
      REDIS_NODES: process.env['TEST_REDIS_NODES']!,
      REDIS_USERNAME: process.env['TEST_REDIS_USERNAME']!,
      REDIS_PASSWORD: process.env['TEST_REDIS_PASSWORD']!,
      [name]: new URL(other.url).port,
    });

    expect(await run.ended).toBe(1);
    expect(run.output()).toContain(message);
    expect(run.output()).toContain(`Set ${name} to a free port`);
    await other.close();
  });

  it('does not start in production without a cluster, or with plain HTTP unless that is allowed explicitly', async () => {
    const run = start(process.execPath, ['dist/main.js'], { NODE_ENV: 'production' });

    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('REDIS_NODES is required in production');
    expect(run.output()).toContain('ALLOW_INSECURE_HTTP=true');
    expect(existsSync(join(dataDirectory, 'cluster'))).toBe(false);
  });

  it('shares users and keys with other instances on one cluster, and distributes users over all masters', async () => {
    const keyPrefix = `t-start-${process.pid}:`;
    const instance = (port: number): Run =>
      start(process.execPath, ['dist/main.js'], {
        REDIS_NODES: process.env['TEST_REDIS_NODES']!,
        REDIS_USERNAME: process.env['TEST_REDIS_USERNAME']!,
        REDIS_PASSWORD: process.env['TEST_REDIS_PASSWORD']!,
        REDIS_KEY_PREFIX: keyPrefix,
        PORT: String(port),
      });
    await Promise.all([instance(PORT), instance(PORT + 1)].map((run) => run.until('Swagger UI')));
    const [one, two] = [PORT, PORT + 1].map((port) => new HttpClient(`http://127.0.0.1:${port}`));

    const user = await one!.newUser();
    expect((await two!.ownUser(user.tokens.access_token)).status).toBe(200);
    expect(
      (await two!.request('POST', '/api/logout', { token: user.tokens.access_token })).status,
    ).toBe(204);
    expect((await one!.ownUser(user.tokens.access_token)).status).toBe(401);

    // Few at a time: a busy machine hashes only a few passwords before the deadline.
    for (let batch = 0; batch < 15; batch += 1) {
      const registrations = Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? one! : two!).register(`spread-${batch}-${index}`),
      );
      for (const { status } of await Promise.all(registrations)) {
        expect(status).toBe(201);
      }
    }
    const users = (await keysByMaster(keyPrefix)).map(
      (keys) => keys.filter((key) => key.endsWith(':record')).length,
    );
    expect(users.reduce((sum, count) => sum + count)).toBe(121);
    users.forEach((count) => expect(count).toBeGreaterThan(15));
  });
});
