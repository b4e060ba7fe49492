import assert from 'node:assert/strict';

import type { AuditEvent, AuditSink } from '../audit/index.js';
import type { TestRunner } from './test-runner.js';

export interface AuditSinkSubject {
  readonly sink: AuditSink;
  /** The events that have arrived at the destination of the sink, in order. */
  readonly recorded: () => Promise<readonly { readonly event: AuditEvent; readonly at: Date }[]>;
}

const EVENT_COUNT = 200;
/** A sink may use its own clock. */
const MAX_CLOCK_DIFFERENCE_MS = 5000;

const FULL: AuditEvent = {
  type: 'access-changed',
  result: 'refused',
  reason: 'own-access',
  namePseudonym: 'cUFi9tqEj0dmvGQdmU7hUPbFPvJfWTXh5o5YyyTkC3Q',
  userId: '5f0c6a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1',
  sessionId: '8d3b1f8e-6a58-4b8e-9f5c-2c5f1f0b7a11',
  actor: 'user',
  actorId: '0b8e2b8a-32a7-4b62-8c58-b9ac2b0d4d20',
  actorSessionId: '4b6a8f0e-7c52-4d2b-a5b0-0f6a3b1d9c77',
  ip: '2001:db8::1',
  requestId: '6f9d9c1e-1f5d-4a53-8f65-31b0e6c5a0c9',
  details: { roles: ['admin'], disabled: false, text: '"quotes"\n\u2028 and 中文' },
};

/** The tests that every `AuditSink` must pass. Call it in the tests of yours: `auditSinkContract({ describe, it }, …)`. */
export function auditSinkContract(
  { describe, it }: TestRunner,
  create: () => AuditSinkSubject | Promise<AuditSinkSubject>,
): void {
  describe('as an audit sink', () => {
    it('keeps all fields of an event', async () => {
      const { sink, recorded } = await create();

      await sink.record(FULL, new Date());
      await sink.record({ type: 'login-refused' }, new Date());

      const events = (await recorded()).map(({ event }) => event);
      assert.deepEqual(events, [FULL, { type: 'login-refused' }]);
    });

    it('keeps the time of an event', async () => {
      const { sink, recorded } = await create();
      const at = new Date();

      await sink.record({ type: 'logged-in' }, at);

      const [only] = await recorded();
      const differenceMs = Math.abs((only?.at.getTime() ?? 0) - at.getTime());
      assert.ok(differenceMs < MAX_CLOCK_DIFFERENCE_MS, `${differenceMs} ms off`);
    });

    it('keeps the order of concurrent events, and loses none', async () => {
      const { sink, recorded } = await create();
      const userIds = Array.from({ length: EVENT_COUNT }, (_, index) => `user-${index}`);

      await Promise.all(
        userIds.map(async (userId) => sink.record({ type: 'logged-in', userId }, new Date())),
      );

      const events = await recorded();
      assert.deepEqual(
        events.map(({ event }) => event.userId),
        userIds,
      );
    });
  });
}
