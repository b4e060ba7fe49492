import type { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { seal, unseal, SECRET_PURPOSES, type Secret } from '../../common/secret/index.js';
import {
  refusalsPerAddress,
  type GuessLimit,
  type RateLimiter,
  type TooManyAttempts,
} from '../../rate-limit/index.js';
import type { AuthenticationMethod, Factor, PendingLogin } from '../../user-slot/read/index.js';
import { CONFLICT, retryOnConflict, type FactorWriter } from '../../user-slot/write/index.js';
import type { Caller } from '../caller.js';
import { FACTOR_TYPE_PATTERN, type SecondFactor } from './second-factor.js';

const MINUTE_MS = 60_000;
/** How long an enrolment waits for its first proof. */
const ENROLMENT_TTL_MS = 15 * MINUTE_MS;

/**
 * Limits the wrong proofs that can be guessed, for one account, in all its pending logins. Only who knows the password reaches it. Known
 * devices and live sessions have counts of their own, and recovery codes and passkeys do not count, so that an attacker cannot lock
 * the user out (OWASP ASVS 6.6.3).
 */
export const PROOFS_PER_ACCOUNT: GuessLimit = {
  name: 'second-factor-account',
  failures: 10,
  blockMs: 15 * MINUTE_MS,
  maxBlockMs: 24 * 60 * MINUTE_MS,
  ceiling: 50,
  ceilingBlockMs: 24 * 60 * MINUTE_MS,
  memoryMs: 3 * 24 * 60 * MINUTE_MS,
};

/** For what cannot be guessed: challenges, recovery codes, passkeys. It only saves the work of refusing many wrong ones. */
export const REFUSALS_PER_ADDRESS = refusalsPerAddress('second-factor-address');

/** Whose refusals are counted together. Others at the address of a known device or session cannot block it. */
export function refusedTogether({ network, proof }: Caller): string {
  return proof ? `${proof.kind}.${proof.id}` : network;
}

/** A proof from a request. */
export interface PresentedProof {
  readonly type: string;
  readonly proof: unknown;
  /** The challenge that the proof signs, if it does. Default: the digest of the pending login. */
  readonly signedChallenge?: string | undefined;
}

/** The first proof of a new factor. */
export interface Enrolled {
  readonly type: string;
  readonly factorId?: string;
  /** The user's name for it. Default: none. */
  readonly name?: string | undefined;
  readonly proof: unknown;
}

export type ProofCheck =
  | {
      readonly outcome: 'right';
      readonly factor: Factor;
      readonly methods: readonly AuthenticationMethod[];
      /** The version of the password that the first step verified. */
      readonly passwordVersion: number | undefined;
      /** A session starts only while it is current. */
      readonly factorsVersion: string;
    }
  | { readonly outcome: 'wrong' }
  /** The pending login has ended. */
  | { readonly outcome: 'ended' }
  | TooManyAttempts;

type CheckedProof = Exclude<ProofCheck, TooManyAttempts>;

/** The second factors of users: which they have, and whether a proof is right. All methods throw RedisUnavailableError. */
export class SecondFactors {
  private readonly kinds: ReadonlyMap<string, SecondFactor>;

  /**
   * @param secret encrypts the states
   * @throws Error when two kinds have the same type, or a type is no name
   */
  constructor(
    kinds: readonly SecondFactor[],
    private readonly writer: FactorWriter,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly secret: Secret,
  ) {
    this.kinds = new Map(kinds.map((kind) => [kind.type, kind]));
    const wrong = kinds.find(({ type }) => !FACTOR_TYPE_PATTERN.test(type));
    if (wrong || this.kinds.size < kinds.length) {
      const types = kinds.map(({ type }) => type).join(', ');
      throw new Error(`the types of second factors must be different names: ${types}`);
    }
  }

  has(type: string): boolean {
    return this.kinds.has(type);
  }

  /** The confirmed factors of a user, the oldest first. */
  async list(userId: string, deadline: Deadline): Promise<readonly Factor[]> {
    const { factors } = await this.writer.find(userId, deadline);
    return factors.filter(({ isConfirmed }) => isConfirmed);
  }

  /**
   * The states of the confirmed factors of a type, for a login that waits for its second step.
   *
   * @returns undefined when the pending login has ended
   */
  async statesFor(
    login: PendingLogin,
    type: string,
    deadline: Deadline,
  ): Promise<string[] | undefined> {
    const { factors, passwordVersion } = await this.writer.find(login.userId, deadline, login);
    const ofType = factors.filter((one) => one.isConfirmed && one.type === type);
    return passwordVersion === undefined
      ? undefined
      : Promise.all(ofType.map(async (one) => this.unseal(one)));
  }

  async seal(state: string): Promise<string> {
    return seal(state, this.secret, SECRET_PURPOSES.factors);
  }

  async unseal(factor: Factor): Promise<string> {
    return unseal(factor.state, this.secret, SECRET_PURPOSES.factors);
  }

  /**
   * Checks a proof within the limits, and records its use: it does not count again, and the pending login ends.
   *
   * @param login the pending login. Undefined for a reauthentication
   * @throws NotConfirmedError
   */
  async prove(
    userId: string,
    presented: PresentedProof,
    login: PendingLogin | undefined,
    caller: Caller,
    deadline: Deadline,
  ): Promise<ProofCheck> {
    const check = async (): Promise<CheckedProof> => {
      const checked = await this.check(userId, presented, login, deadline);
      if (checked.outcome === 'wrong' && login) {
        await this.writer.failLogin(login, deadline);
      }
      return checked;
    };
    const kind = this.kinds.get(presented.type);
    if (kind?.isGuessable) {
      return this.limiter.guess<ProofCheck>(
        PROOFS_PER_ACCOUNT,
        userId,
        caller.proof,
        deadline,
        async () => {
          const value = await check();
          return { value, result: RESULTS[value.outcome] };
        },
      );
    }
    return this.countRefusals(refusedTogether(caller), deadline, check);
  }

  /**
   * Makes a check of what cannot be guessed, unless too many were wrong.
   *
   * @param subject see `refusedTogether`
   * @param check must not count itself
   */
  async countRefusals<Value extends { readonly outcome: string }>(
    subject: string,
    deadline: Deadline,
    check: () => Promise<Value>,
  ): Promise<Value | TooManyAttempts> {
    return this.limiter.attempt<Value>(REFUSALS_PER_ADDRESS, subject, deadline, async () => {
      const value = await check();
      return { value, result: value.outcome === 'wrong' ? 'failed' : 'void' };
    });
  }

  /** Checks a proof as `prove` does, without a limit: the caller limits wrong ones. @throws NotConfirmedError */
  async check(
    userId: string,
    presented: PresentedProof,
    login: PendingLogin | undefined,
    deadline: Deadline,
  ): Promise<CheckedProof> {
    const kind = this.kinds.get(presented.type);
    return kind ? this.checkOnce(userId, kind, presented, login, deadline) : { outcome: 'wrong' };
  }

  /**
   * Confirms an enrolment with its first proof.
   *
   * @param factorId undefined: the enrolment of this type
   * @param sessionId the session that asks. It stays live
   * @param onProved called before the factor counts
   * @returns the factor. `unknown`: there is no such enrolment, or it is too old. `ended`: the session is not live
   */
  async confirm(
    userId: string,
    { type, factorId, name = '', proof }: Enrolled,
    sessionId: string,
    onProved: (factor: Factor) => Promise<void>,
    deadline: Deadline,
  ): Promise<Factor | 'wrong' | 'unknown' | 'ended'> {
    return retryOnConflict(async () => {
      const { factors } = await this.writer.find(userId, deadline);
      const factor = factors.find(
        (one) => !one.isConfirmed && one.type === type && one.id === (factorId ?? one.id),
      );
      const kind = this.kinds.get(type);
      const nowMs = this.clock.now();
      if (!factor || !kind || nowMs - factor.createdAt.getTime() > ENROLMENT_TTL_MS) {
        return 'unknown';
      }
      const state = await this.unseal(factor);
      const next = await (kind.confirm?.(state, proof, nowMs) ??
        kind.check(state, proof, { nowMs }));
      if (next === undefined) {
        return 'wrong';
      }
      const confirmed = { ...factor, name, state: await this.seal(next) };
      await onProved(confirmed);
      const { isOnly = false } = kind;
      const result = await this.writer.confirm(userId, confirmed, isOnly, sessionId, deadline);
      if (result === 'outdated') {
        return CONFLICT;
      }
      return result === 'changed' ? confirmed : result;
    });
  }

  private async checkOnce(
    userId: string,
    kind: SecondFactor,
    { proof, signedChallenge }: PresentedProof,
    login: PendingLogin | undefined,
    deadline: Deadline,
  ): Promise<CheckedProof> {
    return retryOnConflict(async () => {
      const { factors, passwordVersion } = await this.writer.find(userId, deadline, login);
      if (login && passwordVersion === undefined) {
        return { outcome: 'ended' };
      }
      const ofKind = factors.filter(({ type, isConfirmed }) => isConfirmed && type === kind.type);
      for (const factor of ofKind) {
        const context = { nowMs: this.clock.now(), challenge: signedChallenge ?? login?.digest };
        const next = await kind.check(await this.unseal(factor), proof, context);
        if (next !== undefined) {
          const sealed = await this.seal(next);
          const use = await this.writer.use(userId, factor, sealed, login, deadline);
          switch (use.outcome) {
            case 'used':
              return {
                outcome: 'right',
                factor: { ...factor, state: sealed },
                methods: kind.methods,
                passwordVersion,
                factorsVersion: use.version,
              };
            case 'outdated':
              return CONFLICT;
            case 'unknown':
              return { outcome: 'ended' };
          }
        }
      }
      return { outcome: 'wrong' };
    });
  }
}

const RESULTS = {
  right: 'reset',
  wrong: 'failed',
  ended: 'void',
} as const;
