import { setTimeout as delay } from 'node:timers/promises';

import {
  GOOD_PASSWORD,
  type Answer,
  type HttpClient,
  type Tokens,
} from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { slotsOfUser } from '../support/shards.js';
import type { History, Kind } from './history.js';
import type { Random } from './random.js';

/** The number of ended sessions whose tokens are tried again. */
const REMEMBERED_ENDED = 20;
/** Timeout of a read: a stopped instance answers only when it is resumed. */
const READ_TIMEOUT_MS = 3000;

/** A token that expires earlier is not sent any more. */
const EXPIRY_MARGIN_MS = 30_000;

/** A login, as recorded by its client. */
interface KnownSession {
  readonly id: string;
  readonly userId: string;
  accessToken: string;
  /** When the access token expires, as a time of the history. */
  accessUntil: number;
  refreshToken: string;
  /** A logout was sent, and its outcome is unknown. */
  isLogoutPending: boolean;
}

/** A member of the cluster that only checks tokens. */
export type LightMember = Pick<HttpClient, 'ownUser'>;

interface Details {
  readonly session?: KnownSession;
  readonly value?: string;
}

type Send<Target> = (target: Target) => Promise<Answer<unknown>>;

/** One user who sends requests in sequence, each to any instance. */
export class Client {
  private readonly username: string;
  private readonly sessions: KnownSession[] = [];
  private readonly ended: KnownSession[] = [];
  isRegistered = false;
  private userId: string | undefined;
  private writes = 0;
  private readonly reading = new Set<Promise<unknown>>();

  constructor(
    private readonly instances: readonly Instance[],
    private readonly history: History,
    private readonly random: Random,
    /** They are asked only for the user of a token. Their numbers follow those of the instances. */
    private readonly lightMembers: readonly LightMember[] = [],
  ) {
    // Derived from the seed, because the name determines the slots.
    this.username = `client-${random.word()}`;
  }

  /** Sends one request, chosen at random from the possible ones. */
  async step(): Promise<void> {
    const session = this.sessions.length > 0 ? this.random.pick(this.sessions) : undefined;
    if (!this.isRegistered) {
      return this.register();
    }
    if (!session) {
      return this.logIn();
    }
    if (session.isLogoutPending) {
      return this.logOut(session);
    }
    const chance = this.random.next();
    if (chance < 0.5) {
      await this.patiently(this.read(session, this.anyOf(this.instances)));
    } else if (chance < 0.65) {
      await this.change(session);
    } else if (chance < 0.75) {
      await this.refresh(session);
    } else if (chance < 0.85) {
      await this.logOut(session);
    } else if (chance < 0.9) {
      await this.logIn();
    } else if (this.ended.length > 0) {
      const ended = this.random.pick(this.ended);
      await (chance < 0.95 ? this.readEverywhere(ended) : this.refresh(ended));
    }
  }

  /** Checks all expectations again, on every instance. */
  async verify(): Promise<void> {
    if (!this.isRegistered) {
      return;
    }
    await this.logIn();
    for (const session of [...this.sessions]) {
      if (!this.isCurrent(session)) {
        await this.refresh(session);
      }
      await this.readEverywhere(session);
    }
    // An expired token would be refused in any case.
    for (const session of this.ended.filter((one) => this.isCurrent(one))) {
      await this.readEverywhere(session);
    }
    for (const session of this.ended) {
      await this.refresh(session);
    }
  }

  /** Waits for the responses to all requests. */
  async settle(): Promise<void> {
    await Promise.all(this.reading);
  }

  private expiryOf({ expires_in: seconds }: Tokens): number {
    return this.history.now() + 1000 * seconds;
  }

  private isCurrent({ accessUntil }: KnownSession): boolean {
    return this.history.now() + EXPIRY_MARGIN_MS < accessUntil;
  }

  private async register(): Promise<void> {
    const body = { username: this.username, password: GOOD_PASSWORD };
    const answer = await this.call('register', this.anyInstance(), {}, (instance) =>
      instance.request('POST', '/api/users', { body }),
    );
    // 409: an earlier attempt took the name, but its response was lost.
    this.isRegistered = answer?.status === 201 || answer?.status === 409;
  }

  private async logIn(): Promise<void> {
    const answer = await this.call('login', this.anyInstance(), {}, (instance) =>
      instance.login(this.username),
    );
    if (answer?.status === 200) {
      const tokens = answer.body as Tokens;
      this.sessions.push({
        id: tokens.session_id,
        userId: subjectOf(tokens.access_token),
        accessToken: tokens.access_token,
        accessUntil: this.expiryOf(tokens),
        refreshToken: tokens.refresh_token,
        isLogoutPending: false,
      });
    } else if (answer?.status === 401) {
      // A failed attempt took the name.
      this.isRegistered = false;
    }
  }

  private async read(session: KnownSession, member: number): Promise<void> {
    const target = this.members[member]!;
    const answer = await this.send('read', member, { session }, async () =>
      target.ownUser(session.accessToken),
    );
    this.forgetIfRefused(session, answer);
  }

  private get members(): readonly LightMember[] {
    return [...this.instances, ...this.lightMembers];
  }

  /** Sends to all members in parallel, including stopped and disconnected ones. */
  private async readEverywhere(session: KnownSession): Promise<void> {
    const reads = this.members.map(async (_, member) => this.read(session, member));
    await this.patiently(Promise.all(reads));
  }

  /** Reads on each instance and on a random part of the light members, so that these hold the session. */
  private async warmUp(session: KnownSession): Promise<void> {
    const share = this.lightMembers.length > 0 ? this.random.next() : 0;
    const chosen = [
      ...this.instances.keys(),
      ...this.lightMembers
        .map((_, index) => this.instances.length + index)
        .filter(() => this.random.next() < share),
    ];
    await this.patiently(Promise.all(chosen.map(async (member) => this.read(session, member))));
  }

  private async patiently(reading: Promise<unknown>): Promise<void> {
    this.reading.add(reading);
    const ended = reading.finally(() => this.reading.delete(reading));
    await Promise.race([ended, delay(READ_TIMEOUT_MS, undefined, { ref: false })]);
  }

  private async change(session: KnownSession): Promise<void> {
    this.writes += 1;
    const value = `value ${this.writes}`;
    const answer = await this.call('change', this.anyInstance(), { session, value }, (instance) =>
      instance.request('PATCH', '/api/user', {
        token: session.accessToken,
        body: { displayName: value },
      }),
    );
    this.forgetIfRefused(session, answer);
  }

  private async refresh(session: KnownSession): Promise<void> {
    const answer = await this.call('refresh', this.anyInstance(), { session }, (target) =>
      target.refresh(session.refreshToken),
    );
    if (answer?.status === 200) {
      const tokens = answer.body as Tokens;
      session.accessToken = tokens.access_token;
      session.accessUntil = this.expiryOf(tokens);
      session.refreshToken = tokens.refresh_token;
    } else if (answer?.status !== 401) {
      // Retries at once, because a spent token is accepted only during the grace period.
      return;
    }
    this.forgetIfRefused(session, answer);
  }

  private async logOut(session: KnownSession): Promise<void> {
    if (!session.isLogoutPending) {
      // So that each instance has cached the token when the session ends.
      await this.warmUp(session);
    }
    const answer = await this.call('logout', this.anyInstance(), { session }, (target) =>
      target.logout(session.accessToken),
    );
    session.isLogoutPending = true;
    if (answer?.status === 204) {
      this.forget(session);
      await this.readEverywhere(session);
    }
    this.forgetIfRefused(session, answer);
  }

  private forgetIfRefused(session: KnownSession, answer: Answer<unknown> | undefined): void {
    if (answer?.status === 401) {
      this.forget(session);
    }
  }

  private forget(session: KnownSession): void {
    const index = this.sessions.indexOf(session);
    if (index >= 0) {
      this.sessions.splice(index, 1);
      this.ended.push(session);
      this.ended.splice(0, this.ended.length - REMEMBERED_ENDED);
    }
  }

  /** Avoids stopped instances like a load balancer: otherwise every client would soon wait for one. */
  private anyInstance(): number {
    return this.anyOf(this.instances.filter(({ isPaused }) => !isPaused));
  }

  private anyOf(instances: readonly Instance[]): number {
    return this.instances.indexOf(this.random.pick(instances));
  }

  private async call(
    kind: Kind,
    instance: number,
    details: Details,
    send: Send<Instance>,
  ): Promise<Answer<unknown> | undefined> {
    return this.send(kind, instance, details, async () => send(this.instances[instance]!));
  }

  private async send(
    kind: Kind,
    instance: number,
    details: Details,
    request: () => Promise<Answer<unknown>>,
  ): Promise<Answer<unknown> | undefined> {
    const begin = this.history.now();
    const answer = await request().catch(() => undefined);
    const body = (answer?.body ?? {}) as Record<string, unknown>;
    // A lost user can be registered again, under another id.
    this.userId = userIdIn(kind, body) ?? this.userId;
    const userId = details.session?.userId ?? this.userId;
    this.history.record({
      kind,
      instance,
      begin,
      end: this.history.now(),
      user: this.username,
      userId,
      // The server chooses the id of a new user, and so where its data are.
      slots: userId === undefined ? undefined : slotsOfUser(this.username, userId),
      session: details.session?.id ?? (body['session_id'] as string | undefined),
      value: details.value ?? (body['displayName'] as string | undefined),
      status: answer?.status ?? 0,
      code: body['code'] as string | undefined,
      hasRetryAfter: answer?.headers.has('retry-after') ?? false,
    });
    return answer;
  }
}

/** The id of the user in the response to a registration or a login. */
function userIdIn(kind: Kind, body: Record<string, unknown>): string | undefined {
  const { id, access_token: accessToken } = body;
  if (kind === 'login' && typeof accessToken === 'string') {
    return subjectOf(accessToken);
  }
  return kind === 'register' && typeof id === 'string' ? id : undefined;
}

function subjectOf(accessToken: string): string {
  const [, payload = ''] = accessToken.split('.');
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub;
}
