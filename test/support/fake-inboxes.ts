import type { Clock } from '../../src/common/clock/index.js';
import { Announcer } from '../../src/near-cache/announcer.js';
import type { Inboxes, Post, Renewal, RenewalRequest } from '../../src/near-cache/inboxes.js';
import { LocalStore } from '../../src/near-cache/local-store.js';
import { Membership } from '../../src/near-cache/membership.js';
import { NotConfirmedError } from '../../src/redis-cluster/index.js';
import type { Gate } from './gate.js';

type Listener = Parameters<Inboxes['subscribe']>[1];
type PublicInboxes = Pick<Inboxes, keyof Inboxes>;

const MASTERS = ['master-1', 'master-2', 'master-3'];

interface Inbox {
  renewal: number;
  position: number;
  sequence: number;
  isClosed: boolean;
  /** Closed, and the lease is over. */
  isSilent: boolean;
  /** The sequence of each message. */
  readonly posts: Map<string, number>;
}

/** The inboxes in memory. They behave like the scripts in `src/near-cache/scripts`, without lifetimes and without a limit. */
export class FakeInboxes {
  areShardsKnown = true;
  /** Instances that are marked as retired. */
  readonly retired = new Set<string>();
  /** Masters that answer nobody. */
  readonly away = new Set<string>();
  /** The masters with keys of `keepApartFrom`: a key is called like its master. */
  readonly apart: string[] = [];
  private readonly inboxes = new Map<string, Inbox>();
  private readonly subscribers = new Map<string, (deliver: (listener: Listener) => void) => void>();
  private instances = 0;

  link(): FakeLink {
    return new FakeLink(this);
  }

  /** The instances that are subscribed to their channel. */
  get subscribed(): string[] {
    return [...this.subscribers.keys()];
  }

  /** A copy of the state of an inbox. */
  find(instance: string): Readonly<Omit<Inbox, 'posts'>> | undefined {
    const inbox = this.inboxes.get(instance);
    return inbox && { ...inbox };
  }

  /** The inbox is lost, as by a failover. */
  lose(instance: string): void {
    this.inboxes.delete(instance);
  }

  /** @returns a function that restores the present state, as a failover to a replica that was left behind does */
  snapshot(instance: string): () => void {
    const inbox = this.inboxes.get(instance)!;
    const copy = { ...inbox, posts: new Map(inbox.posts) };
    return () => this.inboxes.set(instance, copy);
  }

  /** The last post is lost, as by a failover. */
  loseLastPost(instance: string): void {
    const inbox = this.inboxes.get(instance)!;
    const last = [...inbox.posts].find(([, sequence]) => sequence === inbox.sequence);
    inbox.posts.delete(last?.[0] ?? '');
    inbox.sequence -= 1;
  }

  /** The id says where the inbox is: `1@master-1`. */
  newInstance(avoidedMaster?: string, isApart = true): string {
    this.instances += 1;
    const avoided = [avoidedMaster, ...(isApart ? this.apart : [])];
    const masters = MASTERS.filter((master) => !avoided.includes(master));
    return `${this.instances}@${masters[this.instances % masters.length]}`;
  }

  masterOf(instance: string): string {
    return instance.split('@')[1]!;
  }

  /** The master that has the mark of a retired instance. It never has the inbox, too. */
  masterOfMark(instance: string): string {
    return MASTERS[(MASTERS.indexOf(this.masterOf(instance)) + 1) % MASTERS.length]!;
  }

  subscribe(instance: string, receive: (deliver: (listener: Listener) => void) => void): void {
    this.subscribers.set(instance, receive);
  }

  unsubscribe(instance: string): void {
    this.subscribers.delete(instance);
  }

  renew({ instance, number, position, confirmed }: RenewalRequest): Renewal {
    const refused = { sequence: 0, messages: [] };
    const known = this.inboxes.get(instance);
    if (known?.isClosed === true || (!known && number > 1)) {
      return { outcome: 'closed', ...refused };
    }
    if (known && known.renewal > number) {
      return { outcome: 'late', ...refused };
    }
    const inbox = known ?? this.create(instance);
    if (position > inbox.sequence || inbox.renewal < confirmed) {
      inbox.isClosed = true;
      return { outcome: 'closed', ...refused };
    }
    Object.assign(inbox, { renewal: number, position });
    for (const [message, sequence] of inbox.posts) {
      if (sequence <= position) {
        inbox.posts.delete(message);
      }
    }
    return { outcome: 'renewed', sequence: inbox.sequence, messages: [...inbox.posts.keys()] };
  }

  post(instance: string, message: string): Post | undefined {
    const known = this.inboxes.get(instance);
    if (known?.isSilent === true) {
      return undefined;
    }
    const inbox = known ?? this.create(instance);
    inbox.isClosed ||= !known;
    inbox.sequence += 1;
    // Also moves a message that was posted before to the end.
    inbox.posts.delete(message);
    inbox.posts.set(message, inbox.sequence);
    this.publish(instance, (listener) => listener.onPost(message));
    return { sequence: inbox.sequence, renewal: inbox.renewal };
  }

  postAgain(instance: string, message: string, { sequence }: Post): boolean {
    const isApplied = (this.inboxes.get(instance)?.position ?? 0) >= sequence;
    if (!isApplied) {
      this.publish(instance, (listener) => listener.onPost(message));
    }
    return isApplied;
  }

  acknowledge(changer: string, message: string): void {
    this.publish(changer, (listener) => listener.onAcknowledgement(message));
  }

  close(instance: string, renewal?: number): void {
    const inbox = this.inboxes.get(instance);
    if (!inbox || (renewal !== undefined && renewal !== inbox.renewal)) {
      return;
    }
    Object.assign(inbox, { isClosed: true, isSilent: true });
    if (renewal === undefined) {
      inbox.position = inbox.sequence;
    }
  }

  private create(instance: string): Inbox {
    const none = { renewal: 0, position: 0, sequence: 0, isClosed: false, isSilent: false };
    const inbox = { ...none, posts: new Map<string, number>() };
    this.inboxes.set(instance, inbox);
    return inbox;
  }

  private publish(instance: string, deliver: (listener: Listener) => void): void {
    this.subscribers.get(instance)?.(deliver);
  }
}

/** The connection of one instance to Redis, which a test can cut or delay. */
export class FakeLink implements PublicInboxes {
  /** Requests fail, and published messages are lost. */
  isCut = false;
  /** Messages of the channel do not arrive. */
  isDeaf = false;
  /** Delays the reply to the next renewal. The inbox has stored the renewal. */
  heldRenewal: Gate | undefined;
  /** Delays the reply to the next post. It is in the inbox and was published. */
  heldPost: Gate | undefined;
  /** Delays the next acknowledgement that the instance publishes. */
  heldAcknowledgement: Gate | undefined;
  private listener: Listener | undefined;
  private isListening = false;

  constructor(private readonly inboxes: FakeInboxes) {}

  get isConnected(): boolean {
    return this.inboxes.areShardsKnown;
  }

  keepApartFrom(key: string): void {
    this.inboxes.apart.push(key);
  }

  newInstance(avoidedMaster?: string, isApart = true): string {
    return this.inboxes.newInstance(avoidedMaster, isApart);
  }

  leaseKey(instance: string): string {
    return `{inbox.${instance}}`;
  }

  masterOf(instance: string): string {
    return this.inboxes.masterOf(instance);
  }

  subscribe(instance: string, listener: Listener): () => void {
    this.listener = listener;
    this.inboxes.subscribe(instance, (deliver) =>
      queueMicrotask(() => (this.hears ? deliver(listener) : undefined)),
    );
    queueMicrotask(() => this.regain());
    return () => {
      this.inboxes.unsubscribe(instance);
      queueMicrotask(() => listener.onDown());
    };
  }

  /** The channel's connection is lost. */
  lose(): void {
    this.isListening = false;
    this.listener?.onDown();
  }

  /** The channel's connection is restored. */
  regain(): void {
    this.isListening = true;
    this.listener?.onUp();
  }

  async renew(request: RenewalRequest): Promise<Renewal> {
    const master = this.masterOf(request.instance);
    return this.answered(master, () => this.inboxes.renew(request), this.heldRenewal);
  }

  async post(instance: string, message: string): Promise<Post | undefined> {
    const post = (): Post | undefined => this.inboxes.post(instance, message);
    return this.answered(this.masterOf(instance), post, this.heldPost);
  }

  async postAgain(instance: string, message: string, post: Post): Promise<boolean> {
    return this.answered(this.masterOf(instance), () =>
      this.inboxes.postAgain(instance, message, post),
    );
  }

  acknowledge(changer: string, message: string): void {
    const held = this.heldAcknowledgement?.pass(undefined) ?? Promise.resolve();
    held
      .then(async () =>
        this.answered(this.masterOf(changer), () => this.inboxes.acknowledge(changer, message)),
      )
      .catch(() => undefined);
  }

  async close(instance: string, renewal?: number): Promise<void> {
    return this.answered(this.masterOf(instance), () => this.inboxes.close(instance, renewal));
  }

  async retire(instance: string): Promise<void> {
    await this.answered(this.inboxes.masterOfMark(instance), () =>
      this.inboxes.retired.add(instance),
    );
  }

  async isRetired(instance: string): Promise<boolean> {
    return this.answered(this.inboxes.masterOfMark(instance), () =>
      this.inboxes.retired.has(instance),
    );
  }

  private get hears(): boolean {
    return this.isListening && !this.isCut && !this.isDeaf;
  }

  private async answered<Reply>(master: string, run: () => Reply, held?: Gate): Promise<Reply> {
    await Promise.resolve();
    if (this.isCut || this.inboxes.away.has(master)) {
      throw new NotConfirmedError('no reply');
    }
    const reply = run();
    await held?.pass(reply);
    if (this.isCut) {
      throw new NotConfirmedError('the reply was lost');
    }
    return reply;
  }
}

/** One instance of the near cache on fake inboxes. */
export interface FakeInstance {
  /** Its current id. */
  readonly id: string;
  readonly link: FakeLink;
  readonly store: LocalStore;
  readonly membership: Membership;
  readonly announcer: Announcer;
}

/** Starts an instance. Its first renewal ends when the pending work has run. */
export function startFakeInstance(
  inboxes: FakeInboxes,
  clock: Clock,
  leaseMs: number,
): FakeInstance {
  const link = inboxes.link();
  const store = new LocalStore(100, 100_000);
  const real: PublicInboxes = link;
  const membership = new Membership(real as Inboxes, store, clock, { leaseMs });
  const announcer = new Announcer(real as Inboxes, membership, clock);
  membership.onApplicationBootstrap();
  return {
    get id() {
      return membership.holder.instance;
    },
    link,
    store,
    membership,
    announcer,
  };
}
