import { Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';

import { AuditLog } from './audit-log.js';
import { Origin } from '../common/origin/index.js';
import type { RequiredFacts } from './audit-event.js';
import type { AuditSink } from './audit-sink.js';

const FACTS: RequiredFacts = { result: 'success', ...Origin.system.facts };

describe('the audit log', () => {
  let logged: unknown[];
  beforeEach(() => {
    logged = [];
    const keep = (message: unknown): void => {
      logged.push(message);
    };
    Logger.overrideLogger({ log: keep, error: keep, warn: keep });
  });
  afterEach(() => {
    Logger.overrideLogger(false);
  });

  const broken = new Error('the table of events is full');
  it.each<[string, AuditSink]>([
    [
      'throws',
      {
        record: () => {
          throw broken;
        },
      },
    ],
    ['rejects', { record: () => Promise.reject(broken) }],
  ])(
    'logs the event and the error when the sink %s, and does not fail its caller',
    async (_, sink) => {
      const log = new AuditLog(sink, new EventEmitter2());

      log.record({ type: 'logged-out', userId: 'ada', ...FACTS });
      await Promise.resolve();

      expect(logged).toEqual([
        expect.objectContaining({ err: broken }),
        {
          audit: { type: 'logged-out', userId: 'ada', ...FACTS },
          at: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        },
      ]);
    },
  );

  it('waits for the sink at shutdown, and then logs the pending events', async () => {
    const taken: string[] = [];
    let takeFirst = (): void => undefined;
    const log = new AuditLog(
      {
        record: async ({ userId }) => {
          if (userId === 'ada') {
            await new Promise<void>((done) => (takeFirst = done));
            taken.push(userId);
          } else {
            await new Promise(() => undefined);
          }
        },
      },
      new EventEmitter2(),
    );
    log.record({ type: 'logged-out', userId: 'ada', ...FACTS });
    log.record({ type: 'logged-out', userId: 'grace', ...FACTS });

    const stopped = log.beforeApplicationShutdown();
    takeFirst();
    await stopped;

    expect(taken).toEqual(['ada']);
    expect(logged).toEqual([
      expect.objectContaining({ err: expect.any(Error) as unknown }),
      expect.objectContaining({ audit: { type: 'logged-out', userId: 'grace', ...FACTS } }),
    ]);
  });

  it('limits the pending events of a sink that does not respond', () => {
    const log = new AuditLog({ record: () => new Promise(() => undefined) }, new EventEmitter2());

    for (let count = 0; count < 10_001; count += 1) {
      log.record({ type: 'logged-in', ...FACTS });
    }

    expect(logged).toHaveLength(2);
  });

  const CHANGE = { type: 'user-deleted', userId: 'ada', ...Origin.system.facts } as const;
  it.each([
    ['succeeded', () => Promise.resolve(true), [{ result: 'success' }]],
    ['changed nothing', () => Promise.resolve(false), []],
    ['failed', () => Promise.reject(broken), [{ result: 'failure', reason: 'unconfirmed' }]],
  ])('records and returns the outcome of a change that %s', async (_, change, results) => {
    const events: unknown[] = [];
    const log = new AuditLog({ record: (event) => void events.push(event) }, new EventEmitter2());

    const [ended, expected] = await Promise.allSettled([
      log.recordChange([CHANGE], change, Boolean),
      change(),
    ]);

    expect(ended).toEqual(expected);
    expect(events).toEqual(results.map((result) => ({ ...CHANGE, ...result })));
  });

  it('passes the event and its time to the sink', () => {
    const events: unknown[] = [];
    const log = new AuditLog(
      { record: (event, at) => void events.push(event, at) },
      new EventEmitter2(),
    );

    log.record({ type: 'logged-in', userId: 'ada', ...FACTS });

    expect(events).toEqual([{ type: 'logged-in', userId: 'ada', ...FACTS }, expect.any(Date)]);
    expect(logged).toEqual([]);
  });

  it('notifies listeners, and does not fail its caller when a listener fails', async () => {
    const listeners = new EventEmitter2();
    const heard: unknown[] = [];
    listeners.on('keyslot.logged-out', (event) => {
      heard.push(event);
      throw broken;
    });
    const recorded: unknown[] = [];
    const log = new AuditLog({ record: (event) => void recorded.push(event) }, listeners);

    log.record({ type: 'logged-out', userId: 'ada', ...FACTS });
    log.record({ type: 'logged-in', userId: 'ada', ...FACTS });
    expect(heard).toEqual([]);
    await new Promise(setImmediate);

    expect(heard).toEqual([
      { type: 'logged-out', userId: 'ada', ...FACTS, at: expect.any(Date) as unknown },
    ]);
    expect(recorded).toHaveLength(2);
    expect(logged).toEqual([expect.objectContaining({ err: broken })]);
  });
});
