import { createHash, randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../../src/redis-cluster/index.js';
import type { ScaleInstance } from './scale-instance.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';

/** Enough for one running and one waiting batch at each master. With more, a loaded machine exceeds the timeout. */
const CONCURRENCY = 300;
const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** Users and sessions, written with the product's scripts. Only a number is stored for each: the ids derive from it. */
export class Population {
  users = 0;
  sessions = 0;

  constructor(
    private readonly instance: ScaleInstance,
    private readonly sessionsPerUser: number,
    private readonly passwordHash: string,
  ) {}

  userId(user: number): string {
    return uuidOf(`user ${user}`);
  }

  sessionId(session: number): string {
    return uuidOf(`session ${session}`);
  }

  userOf(session: number): number {
    return Math.floor(session / this.sessionsPerUser);
  }

  /** Selects a session deterministically by number. */
  pick(number: number): { readonly userId: string; readonly sessionId: string } {
    const hash = createHash('sha256').update(String(number)).digest();
    const session = hash.readUIntBE(0, 6) % this.sessions;
    return { userId: this.userId(this.userOf(session)), sessionId: this.sessionId(session) };
  }

  async growTo(sessions: number): Promise<void> {
    const users = Math.ceil(sessions / this.sessionsPerUser);
    await inParallel(this.users, users, async (user) => this.register(user));
    this.users = users;
    await inParallel(this.sessions, sessions, async (session) => this.login(session));
    this.sessions = sessions;
  }

  private async register(user: number): Promise<void> {
    const { store } = this.instance;
    const username = `user-${user}`;
    const registration = {
      id: this.userId(user),
      username,
      usernameKey: username,
      roles: [],
      email: `user-${user}@example.com`,
      displayName: `User ${user}`,
    };
    await store.create(
      registration,
      () => Promise.resolve(new Secret(this.passwordHash)),
      Deadline.none,
    );
  }

  private async login(session: number): Promise<void> {
    const request = {
      id: this.sessionId(session),
      userId: this.userId(this.userOf(session)),
      passwordVersion: 1,
      authentication: PASSWORD_LOGIN,
      accessToken: new Secret(randomUUID()),
      refreshToken: new Secret(randomUUID()),
      ip: `10.${(session >> 16) & 255}.${(session >> 8) & 255}.${session & 255}`,
      userAgent: USER_AGENT,
    };
    const { outcome } = await this.instance.sessions.start(request, Deadline.none);
    if (outcome !== 'started') {
      throw new Error(`session ${session} was refused`);
    }
  }
}

/** Works on many items at a time, and retries what Redis could not confirm, as a client would. */
export async function inParallel(
  from: number,
  to: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) {
      const index = next;
      next += 1;
      await untilConfirmed(() => work(index));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** Retries what Redis could not confirm. */
export async function untilConfirmed<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotConfirmedError || error instanceof RedisUnavailableError)) {
        throw error;
      }
    }
  }
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}
