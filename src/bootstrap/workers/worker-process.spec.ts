import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';

import { WorkerProcess, WorkerStartError } from './worker-process.js';

// Node emits an event for the first error, as at the limit of processes, and throws the second one, as without memory.
describe.each([
  ['ENOENT', '/a/folder/that/does/not/exist'],
  ['ENOTDIR', fileURLToPath(import.meta.url)],
])('a worker whose process cannot be started (%s)', (code, cwd) => {
  beforeAll(() => cluster.setupPrimary({ cwd }));
  afterAll(() => cluster.setupPrimary({ cwd: process.cwd() }));

  const launch = (): WorkerProcess =>
    new WorkerProcess({ kind: 'start', number: 2, opensPortsAtOnce: false }, {}, () =>
      Promise.resolve([]),
    );

  it('has ended, with the reason', async () => {
    const worker = launch();
    const failure: unknown = await worker.ready.catch((error: unknown) => error);
    await worker.ended;

    expect(failure).toBeInstanceOf(WorkerStartError);
    expect(String(failure)).toMatch(/The process could not be started \(spawn .+\)\./);
    expect(String(failure)).toContain(code);
    expect(worker.exit).toEqual({ code: null, signal: null });
    expect(worker.uptimeMs).toBeLessThan(0);
  });

  it('does not delay the stop of the instance', async () => {
    await expect(launch().stop()).resolves.toBeUndefined();
  });
});
