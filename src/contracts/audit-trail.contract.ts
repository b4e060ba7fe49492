import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import type { AuditEvent, AuditTrail, TrailEvent, TrailQuery } from '../audit/index.js';
import { Deadline } from '../common/deadline/index.js';
import type { TestRunner } from './test-runner.js';

export interface AuditTrailSubject {
  readonly trail: AuditTrail;
  /** Stores events, one after the other. The trail lists them when the promise resolves. */
  readonly record: (events: readonly AuditEvent[]) => Promise<void>;
}

const MAX_CLOCK_DIFFERENCE_MS = 5000;
const EVENT_COUNT = 25;

/**
 * The tests that every `AuditTrail` must pass. Call it in the tests of yours: `auditTrailContract({ describe, it }, …)`. It uses
 * random ids and types, so the trail may contain other events.
 */
export function auditTrailContract(
  { describe, it }: TestRunner,
  create: () => AuditTrailSubject | Promise<AuditTrailSubject>,
): void {
  describe('as an audit trail', () => {
    it('lists all members of an event, its time, and an id of its own', async () => {
      const { trail, record } = await create();
      const type = newType();
      const full: AuditEvent = {
        type,
        result: 'refused',
        reason: 'own-access',
        namePseudonym: 'cUFi9tqEj0dmvGQdmU7hUPbFPvJfWTXh5o5YyyTkC3Q',
        userId: randomUUID(),
        sessionId: randomUUID(),
        actor: 'user',
        actorId: randomUUID(),
        actorSessionId: randomUUID(),
        ip: '2001:db8::1',
        requestId: randomUUID(),
        details: { roles: ['admin'], disabled: false, text: '"quotes"\n\u2028 and 中文' },
      };
      await record([{ type }, full]);

      const events = await listed(trail, { type });

      assert.deepEqual(events.map(withoutIdAndTime), [full, { type }]);
      assert.equal(new Set(events.map(({ id }) => id)).size, 2);
      for (const { at } of events) {
        const differenceMs = Math.abs(at.getTime() - Date.now());
        assert.ok(differenceMs < MAX_CLOCK_DIFFERENCE_MS, `${differenceMs} ms off`);
      }
    });

    it('lists each event once, the newest first, for every size of a page', async () => {
      const { trail, record } = await create();
      const type = newType();
      const numbered = Array.from({ length: EVENT_COUNT }, (_, number) => ({
        type,
        details: { number },
      }));
      await record(numbered);

      for (const limit of [1, 7, EVENT_COUNT, 100]) {
        const events = await listed(trail, { type }, limit);
        assert.deepEqual(events.map(withoutIdAndTime), [...numbered].reverse());
      }
    });

    it('lists events by actor, by subject, by type, and by both conditions', async () => {
      const { trail, record } = await create();
      const [one, other] = [newType(), newType()];
      const [ada, grace, client] = [randomUUID(), randomUUID(), randomUUID()];
      const events: AuditEvent[] = [
        { type: one, actor: 'user', actorId: ada, userId: ada },
        { type: one, actor: 'user', actorId: grace, userId: ada },
        { type: other, actor: 'user', actorId: ada, clientId: client },
        { type: other, actor: 'client', actorId: client, userId: grace },
      ];
      await record(events);
      const [first, second, third, fourth] = events;

      const cases: [TrailQuery, (AuditEvent | undefined)[]][] = [
        [{ userId: ada }, [third, second, first]],
        [{ userId: grace }, [fourth, second]],
        [{ userId: client }, [fourth, third]],
        [{ type: other }, [fourth, third]],
        [{ userId: ada, type: one }, [second, first]],
        [{ userId: client, type: one }, []],
        [{ userId: randomUUID() }, []],
        [{ type: newType() }, []],
      ];
      for (const [query, expected] of cases) {
        assert.deepEqual((await listed(trail, query, 1)).map(withoutIdAndTime), expected);
      }
    });

    it('lists the events of all conditions together', async () => {
      const { trail, record } = await create();
      const types = [newType(), newType(), newType()];
      await record(types.map((type) => ({ type })));

      const page = await trail.list({}, undefined, 100, Deadline.none);

      const own = page!.events.map(({ type }) => type).filter((type) => types.includes(type));
      assert.deepEqual(own, [...types].reverse());
    });

    it('lists events that are recorded meanwhile once or not at all', async () => {
      const { trail, record } = await create();
      const type = newType();
      await record(Array.from({ length: 5 }, () => ({ type, reason: 'before' })));
      const events: TrailEvent[] = [];
      let after: string | undefined;
      do {
        await record([{ type, reason: 'meanwhile' }]);
        const page = await trail.list({ type }, after, 2, Deadline.none);
        events.push(...page!.events);
        after = page!.next;
      } while (after !== undefined);

      assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
      assert.equal(events.filter(({ reason }) => reason === 'before').length, 5);
    });

    it('refuses positions that are made up, or are those of other conditions', async () => {
      const { trail, record } = await create();
      const type = newType();
      await record([{ type }, { type }]);
      const page = await trail.list({ type }, undefined, 1, Deadline.none);
      assert.notEqual(page!.next, undefined);

      const foreign: [TrailQuery, string][] = [
        [{ type }, 'made up'],
        [{ type }, ''],
        [{}, page!.next!],
        [{ type: newType() }, page!.next!],
      ];
      for (const [query, after] of foreign) {
        assert.equal(await trail.list(query, after, 1, Deadline.none), undefined);
      }
    });
  });
}

async function listed(trail: AuditTrail, query: TrailQuery, limit = 100): Promise<TrailEvent[]> {
  const events: TrailEvent[] = [];
  let after: string | undefined;
  do {
    const page = await trail.list(query, after, limit, Deadline.none);
    assert.ok(page && page.events.length <= limit);
    events.push(...page.events);
    after = page.next;
  } while (after !== undefined);
  return events;
}

function withoutIdAndTime(event: TrailEvent): AuditEvent {
  return Object.fromEntries(
    Object.entries(event).filter(([name]) => name !== 'id' && name !== 'at'),
  ) as unknown as AuditEvent;
}

function newType(): string {
  return `contract.${randomUUID()}`;
}
