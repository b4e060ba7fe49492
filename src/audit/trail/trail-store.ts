import { Deadline } from '../../common/deadline/index.js';
import { LuaScript, type RedisCluster } from '../../redis-cluster/index.js';
import type { AuditEvent } from '../audit-event.js';
import type { TrailEvent } from './audit-trail.js';
import {
  entryOf,
  idIn,
  partitionOf,
  PARTITIONS,
  timeIn,
  typeDigest,
  typeDigestIn,
} from './trail-entry.js';

/** So many entries of a user are examined for one page when a type is asked for. */
const MAX_EXAMINED = 2000;
/** A user whose requests cause more events within the retention has the newest ones. */
const MAX_ENTRIES_OF_USER = 10_000;
/** These have an index of their own: a caller can cause any number of them, and must not displace its other events. */
const REFUSALS = 'permission-refused';
const MAX_REFUSALS_OF_USER = 1000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const isOne = (reply: unknown): boolean => reply === 1;
const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  record: load('record-events', isOne),
  index: load('index-events', isOne),
  list: load('list-entries', (reply) => {
    const [last, ...entries] = reply as string[];
    return { entries, last: last === '' ? undefined : last };
  }),
  find: load('find-events', (reply) => reply as (string | null)[]),
};

/** An event to be stored. All events that are stored together have the same partition. */
export interface NewTrailEvent {
  readonly id: string;
  readonly type: string;
  /** Users and service accounts that the event concerns. */
  readonly ids: ReadonlySet<string>;
  /** The event as JSON. */
  readonly text: string;
}

/** One call to Redis. It may be repeated. @throws RedisUnavailableError */
export type TrailWrite = () => Promise<unknown>;

export interface Entries {
  /** The newest first. */
  readonly entries: readonly string[];
  /** Where to go on, if not all entries were examined. */
  readonly last: string | undefined;
}

/** `all`, or the index of a type, in every partition; or the index of one user. */
export type TrailIndex =
  { readonly kind: 'all' } | { readonly kind: 'type' | 'user'; readonly name: string };

export interface TrailStoreOptions {
  readonly retentionMs: number;
  /** The maximum number of events of each type. */
  readonly maxEventsPerType: number;
}

/**
 * The audit trail in Redis. An event is in one of sixteen partitions, each in a slot of its own, together with its entries in the
 * indexes of its type and of all types. The indexes of a user are in another slot and contain entries only.
 */
export class TrailStore {
  private readonly retentionMs: number;
  private readonly maxPerPartition: number;

  constructor(
    private readonly redis: RedisCluster,
    { retentionMs, maxEventsPerType }: TrailStoreOptions,
  ) {
    this.retentionMs = retentionMs;
    this.maxPerPartition = Math.ceil(maxEventsPerType / PARTITIONS.length);
  }

  /**
   * The calls that store events, in two stages: an event is stored before the index of a user names it.
   *
   * @param events all of one partition
   */
  writesOf(events: readonly NewTrailEvent[]): [events: TrailWrite[], users: TrailWrite[]] {
    const byType = groupedBy(events, ({ type }) => [type]);
    const byIndex = groupedBy(events, ({ ids, type }) =>
      Array.from(ids, (id) => this.userKey(id, type)),
    );
    return [
      Array.from(byType, ([type, group]) => async () => {
        const partition = partitionOf(entryOf(group[0]!.id, type));
        const keys = [
          this.key(partition, 'events', typeDigest(type)),
          this.key(partition, 'type', typeDigest(type)),
          this.key(partition, 'all'),
        ];
        const args = group.flatMap((event) => [entryOf(event.id, type), event.text]);
        await this.run(scripts.record, keys, [this.maxPerPartition, ...args]);
      }),
      Array.from(byIndex, ([key, group]) => async () => {
        const max = group[0]!.type === REFUSALS ? MAX_REFUSALS_OF_USER : MAX_ENTRIES_OF_USER;
        const entries = group.map((event) => entryOf(event.id, event.type));
        await this.run(scripts.index, [key], [max, ...entries]);
      }),
    ];
  }

  /**
   * Lists entries of an index in all its parts: one call for each of the sixteen partitions, two for a user, or one for a user and
   * a type.
   *
   * @param before an entry
   * @param type only entries of this type. For the index of a user
   * @throws RedisUnavailableError
   */
  async list(
    index: TrailIndex,
    before: string | undefined,
    type: string | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<Entries> {
    const digest = type === undefined ? '' : typeDigest(type);
    const args = [
      this.retentionMs,
      before ?? '',
      digest,
      limit,
      digest === '' ? limit : MAX_EXAMINED,
    ];
    const parts = await Promise.all(
      this.keysOf(index, type).map(async (key) =>
        this.redis.run(scripts.list, [key], args, deadline),
      ),
    );
    if (parts.length === 1) {
      return parts[0]!;
    }
    const entries = parts.flatMap((part) => part.entries).sort(newestFirst);
    return { entries: entries.slice(0, limit), last: undefined };
  }

  /**
   * Finds the events of entries, with at most one call for each of them. Events that have been removed are omitted.
   *
   * @throws RedisUnavailableError
   */
  async find(entries: readonly string[], deadline: Deadline): Promise<readonly TrailEvent[]> {
    const groups = groupedBy(entries, (entry) => [
      this.key(partitionOf(entry), 'events', typeDigestIn(entry)),
    ]);
    const found = new Map<string, TrailEvent>();
    await Promise.all(
      Array.from(groups, async ([key, group]) => {
        const texts = await this.redis.run(scripts.find, [key], group, deadline);
        group.forEach((entry, position) => {
          const text = texts[position];
          if (typeof text === 'string') {
            const id = idIn(entry);
            found.set(entry, { ...(JSON.parse(text) as AuditEvent), id, at: timeIn(id) });
          }
        });
      }),
    );
    return entries.flatMap((entry) => found.get(entry) ?? []);
  }

  private keysOf(index: TrailIndex, type: string | undefined): string[] {
    switch (index.kind) {
      case 'all':
        return PARTITIONS.map((partition) => this.key(partition, 'all'));
      case 'type':
        return PARTITIONS.map((partition) => this.key(partition, 'type', typeDigest(index.name)));
      case 'user':
        return (type === undefined ? [undefined, REFUSALS] : [type]).map((one) =>
          this.userKey(index.name, one),
        );
    }
  }

  private key(partition: string, ...parts: string[]): string {
    return this.redis.keys.key(['audit', partition], ...parts);
  }

  private userKey(id: string, type: string | undefined): string {
    return this.redis.keys.key(['audit-user', id], type === REFUSALS ? 'refusals' : 'entries');
  }

  /** Not durably: a failover may lose the events of its last moments. */
  private async run(
    script: LuaScript<boolean>,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<void> {
    await this.redis.run(script, keys, [this.retentionMs, ...args], Deadline.none);
  }
}

/** The ids of the actor and the subject. An id of an application that is no UUID could contain anything, so it names no key. */
export function idsIn(event: AuditEvent): ReadonlySet<string> {
  const subjects = mayConcernNobody(event) ? [] : [event.userId, event.clientId];
  return new Set(
    [...subjects, event.actorId].flatMap((id) =>
      typeof id === 'string' && UUID.test(id) ? [id] : [],
    ),
  );
}

/** A caller who asks for made-up ids must not create an index for each. */
function mayConcernNobody({ type, reason, details }: AuditEvent): boolean {
  return reason === 'not-found' || (type === 'audit-read' && details?.['events'] === 0);
}

function newestFirst(one: string, other: string): number {
  return one < other ? 1 : -1;
}

function groupedBy<Item>(
  items: readonly Item[],
  namesOf: (item: Item) => Iterable<string>,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    for (const name of namesOf(item)) {
      const group = groups.get(name) ?? [];
      group.push(item);
      groups.set(name, group);
    }
  }
  return groups;
}
