import { jest } from '@jest/globals';
import cluster from 'node:cluster';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';

import { WorkerProcess } from './worker-process.js';
import { WorkerSlot } from './worker-slot.js';

const PROGRAM = `
  process.on('message', ({ kind }) => kind === 'start' && process.send({ kind: 'ready', facts: {} }));
  process.send({ kind: 'loaded' });`;

interface Line {
  readonly worker: number;
  readonly waitMs: number;
  readonly reason?: string;
}

describe('the place of a worker', () => {
  let folder: string;
  let slots: WorkerSlot[];
  let isStopping: boolean;
  let onLine: (line: Line) => void;
  let onLaunched: (process: WorkerProcess) => void;
  const launched: WorkerProcess[] = [];
  const giveUp = jest.fn();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyslot-worker-'));
    writeFileSync(join(folder, 'worker.mjs'), PROGRAM);
    cluster.setupPrimary({ exec: join(folder, 'worker.mjs'), cwd: folder });
    isStopping = false;
    onLaunched = () => undefined;
    const logger = pino({}, { write: (line) => onLine(JSON.parse(line) as Line) });
    const launch = (number: number): WorkerProcess => {
      const order = { kind: 'start', number, opensPortsAtOnce: false } as const;
      const process = new WorkerProcess(order, {}, () => Promise.resolve([]));
      launched.push(process);
      onLaunched(process);
      return process;
    };
    const options = { logger, launch, giveUp, isStopping: () => isStopping };
    slots = [1, 2].map(
      (number) => new WorkerSlot(number, { ...options, onUnexpectedExit: () => undefined }),
    );
    await Promise.all(slots.map(async (slot) => slot.start()));
  });
  afterEach(async () => {
    isStopping = true;
    await Promise.all(
      launched.splice(0).map(async (process) => {
        process.kill();
        await process.ended;
      }),
    );
    cluster.setupPrimary({ cwd: process.cwd() });
    rmSync(folder, { recursive: true });
  });

  it('gets a new process although the operating system refuses some, and the other worker goes on', async () => {
    const [first, second] = slots.map(({ current }) => current!);
    const lines: Line[] = [];
    const restored = new Promise<void>((resolve) => {
      onLine = (line) => {
        lines.push(line);
        if (lines.length === 3) {
          cluster.setupPrimary({ cwd: folder });
          resolve();
        }
      };
    });
    // Node throws this error (ENOTDIR), as it does when the machine has no memory for a process.
    cluster.setupPrimary({ cwd: join(folder, 'worker.mjs') });

    first!.kill();
    await restored;
    const next = await new Promise<WorkerProcess>((resolve) => (onLaunched = resolve));

    expect(lines.map(({ waitMs }) => waitMs)).toEqual([0, 1000, 2000]);
    expect(lines.map(({ worker }) => worker)).toEqual([1, 1, 1]);
    expect(lines[1]!.reason).toMatch(/^The process could not be started \(spawn .*ENOTDIR\)\.$/);
    await next.ready;
    expect(slots[0]!.current).toBe(next);
    expect(slots[1]!.current).toBe(second);
    expect(second!.exit).toBeUndefined();
    expect(giveUp).not.toHaveBeenCalled();
  });
});
