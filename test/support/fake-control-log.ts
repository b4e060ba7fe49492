import { NotConfirmedError, type RedisCluster } from '../../src/redis-cluster/index.js';
import { Announcer } from '../../src/near-cache/announcer.js';
import type {
  AppendedChange,
  ControlLog,
  MemberNote,
  Members,
  Renewal,
  RenewalRequest,
} from '../../src/near-cache/control-log.js';
import { LocalStore } from '../../src/near-cache/local-store.js';
import { Membership } from '../../src/near-cache/membership.js';
import type { FakeClock } from './fake-clock.js';
import { Gate } from './gate.js';

type Listener = Parameters<RedisCluster['subscribe']>[1];

const CHANGES = 'changed';

/** The control log in memory. It behaves like the scripts in `src/near-cache/scripts`, without a retention limit. */
export class FakeControlLog {
  /** Stored notes, by instance. */
  readonly notes = new Map<string, string>();
  private sequence = 0;
  /** Sequence of the last change, by subject. */
  private readonly changes = new Map<string, number>();
  private readonly links = new Set<FakeLink>();

  link(): FakeLink {
    const link = new FakeLink(this);
    this.links.add(link);
    return link;
  }

  renew({ instance, leaseMs, number, position }: RenewalRequest): Renewal {
    const before = this.sequence;
    this.sequence += 1;
    const sequence = String(this.sequence);
    const note = this.members().get(instance);
    if (note && Number(note.text.split(' ')[2]) > number) {
      return { hasJoined: true, position: sequence, members: new Map(), changes: [] };
    }
    const hasJoined = position === undefined || !note || Number(position) > before;
    const rejoined = position === undefined ? sequence : '0';
    this.notes.set(instance, `${hasJoined ? rejoined : position} ${leaseMs} ${number}`);
    const changes = [...this.changes].filter(([, at]) => !hasJoined && at > Number(position));
    return {
      hasJoined,
      position: sequence,
      members: this.members(),
      changes: changes.map(([subject]) => subject),
    };
  }

  announce(subject: string, message: string): AppendedChange {
    this.sequence += 1;
    this.changes.set(subject, this.sequence);
    this.publish(CHANGES, message);
    return { sequence: String(this.sequence), members: this.members() };
  }

  publish(channel: string, message: string): void {
    this.links.forEach((link) => link.deliver(channel, message));
  }

  members(): Members {
    return new Map(
      [...this.notes].map(([instance, text]): [string, MemberNote] => {
        const [position, leaseMs] = text.split(' ').map(Number);
        return [instance, { text, position: position!, leaseMs: leaseMs! }];
      }),
    );
  }

  remove(members: Members): void {
    for (const [instance, { text }] of members) {
      if (this.notes.get(instance) === text) {
        this.notes.delete(instance);
      }
    }
  }
}

/** The connection of one instance to Redis, which a test can cut or delay. */
export class FakeLink implements Pick<
  ControlLog,
  'changesChannel' | 'ackChannel' | 'renew' | 'announce' | 'republish' | 'members' | 'remove'
> {
  /** Requests fail, and published messages are lost. */
  isCut = false;
  /** Messages of the channel do not arrive. */
  isDeaf = false;
  /** Delays the reply to the next renewal. The log has stored the renewal. */
  heldRenewal: Gate | undefined;
  /** Delays the reply to the next announcement. The log has stored and published the announcement. */
  heldAnnouncement: Gate | undefined;
  /** Delays the next message that the instance publishes. */
  heldMessage: Gate | undefined;
  private channels: readonly string[] = [];
  private listener: Listener | undefined;

  constructor(private readonly log: FakeControlLog) {}

  readonly changesChannel = CHANGES;

  ackChannel(instance: string): string {
    return `applied ${instance}`;
  }

  async renew(request: RenewalRequest): Promise<Renewal> {
    return this.answered(() => this.log.renew(request), this.heldRenewal);
  }

  async announce(subject: string, message: string): Promise<AppendedChange> {
    return this.answered(() => this.log.announce(subject, message), this.heldAnnouncement);
  }

  async members(): Promise<Members> {
    return this.answered(() => this.log.members());
  }

  async remove(members: Members): Promise<void> {
    return this.answered(() => this.log.remove(members));
  }

  republish(message: string): void {
    this.publish(CHANGES, message);
  }

  publish(channel: string, message: string): void {
    const send = (): void => (this.isCut ? undefined : this.log.publish(channel, message));
    const { heldMessage } = this;
    void (heldMessage ? heldMessage.pass(undefined).then(send) : Promise.resolve().then(send));
  }

  subscribe(channels: readonly string[], listener: Listener): void {
    this.channels = channels;
    this.listener = listener;
    listener.onUp();
  }

  /** The channel's connection is lost. */
  lose(): void {
    this.listener?.onDown();
  }

  /** The channel's connection is restored. */
  regain(): void {
    this.listener?.onUp();
  }

  deliver(channel: string, message: string): void {
    if (!this.isCut && !this.isDeaf && this.channels.includes(channel)) {
      queueMicrotask(() => this.listener?.onMessage(channel, message));
    }
  }

  private async answered<Reply>(run: () => Reply, held?: Gate): Promise<Reply> {
    await Promise.resolve();
    if (this.isCut) {
      throw new NotConfirmedError('no reply');
    }
    const reply = run();
    return held ? held.pass(reply) : reply;
  }
}

/** One instance of the near cache on a fake log. */
export interface FakeInstance {
  readonly id: string;
  readonly link: FakeLink;
  readonly store: LocalStore;
  readonly membership: Membership;
  readonly announcer: Announcer;
}

/** Starts an instance. It becomes a member when the clock advances. */
export function startFakeInstance(
  log: FakeControlLog,
  clock: FakeClock,
  leaseMs: number,
): FakeInstance {
  const link = log.link();
  const store = new LocalStore(100, 100_000);
  const onLog = link as unknown as ControlLog;
  const membership = new Membership(link as unknown as RedisCluster, onLog, store, clock, {
    leaseMs,
  });
  const announcer = new Announcer(onLog, membership, clock);
  membership.onApplicationBootstrap();
  return { id: membership.instance, link, store, membership, announcer };
}
