import cluster from 'node:cluster';

import { WorkerProcess, WorkerStartError } from './worker-process.js';

describe('a worker whose process cannot be started', () => {
  // The operating system refuses the process, as it does at its limit of processes.
  beforeAll(() => cluster.setupPrimary({ cwd: '/a/folder/that/does/not/exist' }));
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
    expect(String(failure)).toMatch(/The process could not be started \(spawn .+ ENOENT\)\./);
    expect(worker.exit).toEqual({ code: null, signal: null });
    expect(worker.uptimeMs).toBeLessThan(0);
  });

  it('does not delay the stop of the instance', async () => {
    await expect(launch().stop()).resolves.toBeUndefined();
  });
});
