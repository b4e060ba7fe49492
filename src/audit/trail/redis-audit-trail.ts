import { cursorText, positionIn } from '../../common/paging/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { AuditTrail, TrailPage, TrailQuery } from './audit-trail.js';
import { isEntry } from './trail-entry.js';
import type { TrailIndex, TrailStore } from './trail-store.js';

/** The trail that Keyslot keeps in Redis. A page costs at most 16 calls, and one for each event on it. */
export class RedisAuditTrail implements AuditTrail {
  constructor(readonly store: TrailStore) {}

  async list(
    query: TrailQuery,
    after: string | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<TrailPage | undefined> {
    const before = after === undefined ? undefined : entryIn(after, query);
    if (after !== undefined && before === undefined) {
      return undefined;
    }
    const typeOfUser = query.userId === undefined ? undefined : query.type;
    const { entries, last } = await this.store.list(
      indexFor(query),
      before,
      typeOfUser,
      // One more, to know whether there are older events.
      limit + 1,
      deadline,
    );
    const listed = entries.slice(0, limit);
    const next =
      entries.length > limit ? listed.at(-1) : typeOfUser === undefined ? undefined : last;
    return {
      events: await this.store.find(listed, deadline),
      next: next === undefined ? undefined : cursorText([next], conditionsOf(query)),
    };
  }
}

function indexFor({ userId, type }: TrailQuery): TrailIndex {
  if (userId !== undefined) {
    return { kind: 'user', name: userId };
  }
  return type === undefined ? { kind: 'all' } : { kind: 'type', name: type };
}

function conditionsOf({ userId, type }: TrailQuery): unknown {
  return ['audit', userId, type];
}

function entryIn(cursor: string, query: TrailQuery): string | undefined {
  const [entry] = positionIn(cursor, conditionsOf(query)) ?? [];
  return isEntry(entry) ? entry : undefined;
}
