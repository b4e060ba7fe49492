import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Deadline } from '../../common/deadline/index.js';
import { NearCache, type SlotWrite } from '../../near-cache/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import type {
  Factor,
  FactorRemoval,
  FactorUse,
  FoundFactors,
  NewFactor,
  PendingLogin,
} from '../factor.js';
import type { SessionsEffect, WriteConditions } from '../user-record.js';
import { slotScript } from '../slot-script.js';
import type { StoredFactor, StoredPendingLogin } from '../stored-format.js';
import { userSubject, UserSlotKeys } from '../user-slot.keys.js';

/** How long a client may take for the second step of a login. */
export const PENDING_LOGIN_TTL_MS = 5 * 60_000;
/** Wrong proofs after which a pending login ends. */
const MAX_FAILURES = 5;
export const MAX_FACTORS = 20;
/** Stands for no pending login. */
const NO_LOGIN = 'none';

type Addition = 'changed' | 'full' | 'ended';
type Confirmation = 'changed' | 'outdated' | 'unknown' | 'ended';

const scripts = {
  add: slotScript('add-factor', (reply) => reply as Addition),
  addDependent: slotScript('add-factor', (reply) => reply as Addition | 'no-second-factor'),
  confirm: slotScript('confirm-factor', (reply) => reply as Confirmation),
  remove: slotScript('remove-factors', parseRemoval),
  find: slotScript('find-factors', parseFactors),
  use: slotScript('use-factor', parseUse),
  begin: slotScript('begin-login', () => undefined),
  fail: slotScript('fail-second-step', Number),
};

/**
 * The second factors of users, and logins that wait for their second step. When a method that changes factors returns, no login
 * counts an earlier proof, and the other sessions of the user have ended on every instance. All methods throw NotConfirmedError.
 */
@Injectable()
export class FactorWriter {
  private readonly keys: UserSlotKeys;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
  ) {
    this.keys = new UserSlotKeys(redis.keys);
  }

  /** Reads the current factors. No master that was replaced can answer. @throws RedisUnavailableError */
  async find(
    userId: string,
    deadline: Deadline,
    login?: Pick<PendingLogin, 'digest'>,
  ): Promise<FoundFactors> {
    const { keys } = this;
    return this.redis.readConfirmed(
      scripts.find,
      [
        keys.factors(userId),
        keys.pendingLogin(userId, login?.digest ?? NO_LOGIN),
        keys.fence(userId),
      ],
      [],
      deadline,
    );
  }

  /**
   * Adds a factor. It replaces those of its type that are not confirmed.
   *
   * @param sessionId the session that asks. It stays live if the factor is confirmed
   * @returns `full`: the user has `MAX_FACTORS`. `ended`: the session is not live
   */
  async add(
    userId: string,
    factor: NewFactor,
    sessionId: string,
    deadline: Deadline,
  ): Promise<Addition> {
    const script = scripts.add;
    const write = { script, ...this.addition(userId, factor, sessionId, false, false) };
    return this.cache.changeInSlot(userSubject(userId), write, deadline);
  }

  /**
   * Adds a factor that does not count alone.
   *
   * @param isOnly whether it replaces the others of its type
   * @returns as `add`. `no-second-factor`: the user has no confirmed factor of another type
   */
  async addDependent(
    userId: string,
    factor: NewFactor,
    isOnly: boolean,
    sessionId: string,
    deadline: Deadline,
  ): Promise<Addition | 'no-second-factor'> {
    const script = scripts.addDependent;
    const write = { script, ...this.addition(userId, factor, sessionId, isOnly, true) };
    return this.cache.changeInSlot(userSubject(userId), write, deadline);
  }

  /**
   * @param factor as read, with its new name and state
   * @param isOnly whether the factor replaces the others of its type. It always replaces those that are not confirmed
   * @param sessionId the session that asks. It stays live
   */
  async confirm(
    userId: string,
    { id, revision, name, state }: Factor,
    isOnly: boolean,
    sessionId: string,
    deadline: Deadline,
  ): Promise<Confirmation> {
    return this.cache.changeInSlot(
      userSubject(userId),
      {
        script: scripts.confirm,
        keys: this.changeKeys(userId),
        args: [id, revision, randomUUID(), state, sessionId, name, isOnly ? 1 : 0],
      },
      deadline,
    );
  }

  /**
   * @param factorId undefined: all
   * @param dependentType the type of factors that do not count alone: they are removed with the last other factor
   * @param exceptSessionId the session that asks, if its user removes own factors. It stays live
   */
  async remove(
    userId: string,
    factorId: string | undefined,
    dependentType: string,
    {
      exceptSessionId = '',
      unlessRoles = [],
    }: Pick<SessionsEffect, 'exceptSessionId'> & Pick<WriteConditions, 'unlessRoles'>,
    deadline: Deadline,
  ): Promise<FactorRemoval> {
    return this.cache.changeInSlot(
      userSubject(userId),
      {
        script: scripts.remove,
        keys: this.changeKeys(userId),
        args: [
          factorId ?? '',
          randomUUID(),
          exceptSessionId,
          dependentType,
          JSON.stringify(unlessRoles),
        ],
      },
      deadline,
    );
  }

  /**
   * Records that a proof was checked, and ends the pending login.
   *
   * @param factor as it was read for the check
   * @param state the new one, in which the proof does not count again
   */
  async use(
    userId: string,
    { id, revision }: Factor,
    state: string,
    login: Pick<PendingLogin, 'digest'> | undefined,
    deadline: Deadline,
  ): Promise<FactorUse> {
    return this.redis.runDurably(
      scripts.use,
      [this.keys.factors(userId), this.keys.pendingLogin(userId, login?.digest ?? NO_LOGIN)],
      [id, revision, randomUUID(), state, login ? 1 : 0],
      deadline,
    );
  }

  async beginLogin(
    { userId, digest }: PendingLogin,
    passwordVersion: number,
    deadline: Deadline,
  ): Promise<void> {
    const login: StoredPendingLogin = { passwordVersion };
    await this.redis.runDurably(
      scripts.begin,
      [this.keys.pendingLogin(userId, digest)],
      [JSON.stringify(login), PENDING_LOGIN_TTL_MS],
      deadline,
    );
  }

  /** Counts a wrong proof. @returns how many more the pending login allows */
  async failLogin({ userId, digest }: PendingLogin, deadline: Deadline): Promise<number> {
    const keys = [this.keys.pendingLogin(userId, digest), this.keys.fence(userId)];
    return this.redis.runDurably(scripts.fail, keys, [MAX_FAILURES], deadline);
  }

  private addition(
    userId: string,
    { id, ...factor }: NewFactor,
    sessionId: string,
    isOnly: boolean,
    isDependent: boolean,
  ): Pick<SlotWrite<unknown>, 'keys' | 'args'> {
    const stored: Omit<StoredFactor, 'createdAt'> = { ...factor, revision: randomUUID() };
    const rules = [isOnly ? 1 : 0, sessionId, isDependent ? 1 : 0];
    return {
      keys: this.changeKeys(userId),
      args: [id, JSON.stringify(stored), MAX_FACTORS, ...rules],
    };
  }

  private changeKeys(userId: string): string[] {
    return [this.keys.record(userId), this.keys.sessions(userId), this.keys.factors(userId)];
  }
}

function parseFactors(reply: unknown): FoundFactors {
  const [login, , ...list] = reply as string[];
  const factors: Factor[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const { createdAt, lastUsedAt, ...factor } = JSON.parse(list[index + 1]!) as StoredFactor;
    factors.push({
      ...factor,
      id: list[index]!,
      createdAt: new Date(createdAt),
      lastUsedAt: lastUsedAt === undefined ? undefined : new Date(lastUsedAt),
    });
  }
  const pending = login ? (JSON.parse(login) as StoredPendingLogin) : undefined;
  return {
    passwordVersion: pending?.passwordVersion,
    factors: factors.sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime()),
  };
}

function parseRemoval(reply: unknown): FactorRemoval {
  const [outcome, role = ''] = reply as [FactorRemoval['outcome'], string?];
  return outcome === 'protected' ? { outcome, role } : { outcome };
}

function parseUse(reply: unknown): FactorUse {
  const [outcome, version = ''] = reply as [FactorUse['outcome'], string?];
  return outcome === 'used' ? { outcome, version } : { outcome };
}
