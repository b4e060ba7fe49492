import { EventEmitter2 } from '@nestjs/event-emitter';

import { AuditLog, type AuditEvent } from '../audit/index.js';
import { Origin } from '../common/origin/index.js';
import { HashingOverloadedError } from './password/hashing-queue.js';
import { recordThrottling } from './throttled-attempts.js';

describe('recordThrottling', () => {
  let events: AuditEvent[];
  let audit: AuditLog;
  beforeEach(() => {
    events = [];
    audit = new AuditLog({ record: (event) => void events.push(event) }, new EventEmitter2());
  });
  const origin = new Origin({ actor: 'anonymous', ip: '192.0.2.1', requestId: 'a request' });
  const subject = { attempt: 'login', namePseudonym: 'somebody' } as const;

  it.each([
    ['the hashing queue is full', new HashingOverloadedError('full'), ['overloaded']],
    ['something else fails', new Error('broken'), []],
  ])('rethrows the error when %s', async (_, error, reasons) => {
    const attempt = recordThrottling(audit, subject, origin, () => Promise.reject(error));

    await expect(attempt).rejects.toBe(error);
    expect(events).toEqual(
      reasons.map((reason) => ({
        type: 'attempt-throttled',
        result: 'refused',
        reason,
        ...origin.facts,
        namePseudonym: 'somebody',
        details: { attempt: 'login' },
      })),
    );
  });

  it.each([
    ['an attempt that was made', 'wrong', 0],
    ['an attempt that a limit refused', 'too-many-attempts', 1],
  ])('returns the outcome of %s', async (_, outcome, count) => {
    const result = { outcome, retryAfterSeconds: 7 };

    expect(await recordThrottling(audit, subject, origin, () => Promise.resolve(result))).toBe(
      result,
    );

    expect(events).toHaveLength(count);
  });
});
