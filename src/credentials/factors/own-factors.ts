import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../../audit/index.js';
import type { UserPrincipal } from '../../common/authentication/index.js';
import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Factor } from '../../user-slot/read/index.js';
import { FactorWriter } from '../../user-slot/write/index.js';
import { FACTOR_NOTICES, type FactorNotices } from './factor-notices.js';
import { RECOVERY_CODE, RecoveryCodesFactor } from './recovery-codes/recovery-codes.factor.js';
import { PasskeyFactor, PASSKEY } from './passkeys/passkey.factor.js';
import { SecondFactors, type Enrolled } from './second-factors.js';
import { TotpFactor } from './totp/totp.factor.js';

export type EnrolmentOutcome =
  { readonly outcome: 'begun'; readonly id: string } | { readonly outcome: 'full' | 'ended' };

export type TotpOutcome =
  | {
      readonly outcome: 'begun';
      readonly id: string;
      readonly secret: string;
      readonly uri: string;
      readonly qr: string;
    }
  | { readonly outcome: 'full' | 'ended' };

export type PasskeyOutcome =
  { readonly outcome: 'begun'; readonly options: object } | { readonly outcome: 'full' | 'ended' };

export type CodesOutcome =
  | { readonly outcome: 'created'; readonly codes: readonly string[] }
  | { readonly outcome: 'no-second-factor' | 'full' | 'ended' };

type Owner = Pick<UserPrincipal, 'userId' | 'sessionId' | 'user'>;

/**
 * The factors that users add and remove themselves. When a method that adds or removes a factor returns, the other sessions of the
 * user have ended on every instance. An ended session changes nothing. The caller has checked that the login is recent.
 *
 * All methods throw RedisUnavailableError and NotConfirmedError.
 */
@Injectable()
export class OwnFactors {
  constructor(
    private readonly factors: SecondFactors,
    private readonly writer: FactorWriter,
    private readonly totp: TotpFactor,
    private readonly codes: RecoveryCodesFactor,
    private readonly passkeys: PasskeyFactor,
    @Inject(FACTOR_NOTICES) private readonly notices: FactorNotices,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  async list(userId: string, deadline: Deadline): Promise<readonly Factor[]> {
    return this.factors.list(userId, deadline);
  }

  /** Begins the enrolment of an authenticator application. It counts when it is confirmed. */
  async beginTotp({ userId, sessionId, user }: Owner, deadline: Deadline): Promise<TotpOutcome> {
    const { state, ...shown } = await this.totp.enrol(user.username);
    const owner = { userId, sessionId, user };
    const begun = await this.begin(owner, { type: this.totp.type, state }, deadline);
    return begun.outcome === 'begun' ? { ...begun, ...shown } : begun;
  }

  /**
   * Begins the enrolment of a factor that the application has added. It counts when `confirm` has accepted its first proof. A new
   * enrolment replaces one of the same type that was not confirmed.
   *
   * @param state the first state, which `confirm` or `check` of the factor gets
   * @returns `full`: the user has too many factors. `ended`: the session has ended
   * @throws Error when the application has no such type
   */
  async begin(
    { userId, sessionId }: Owner,
    { type, state }: Pick<Factor, 'type' | 'state'>,
    deadline: Deadline,
  ): Promise<EnrolmentOutcome> {
    if (!this.factors.has(type)) {
      throw new Error(`no second factor of this application has the type '${type}'`);
    }
    const id = randomUUID();
    const sealed = await this.factors.seal(state);
    const factor = { id, type, name: '', isConfirmed: false, state: sealed };
    const result = await this.writer.add(userId, factor, sessionId, deadline);
    return result === 'changed' ? { outcome: 'begun', id } : { outcome: result };
  }

  /**
   * Confirms an enrolment with its first proof.
   *
   * @returns `wrong`: the proof is wrong. `unknown`: there is no such enrolment. `ended`: the session has ended
   */
  async confirm(
    { userId, sessionId, user }: Owner,
    enrolled: Enrolled,
    origin: Origin,
    deadline: Deadline,
  ): Promise<Factor | 'wrong' | 'unknown' | 'ended'> {
    const details = { factor: enrolled.type };
    return this.audit.recordChange(
      [{ type: 'factor-added', userId, ...origin.facts, details }],
      async () =>
        this.factors.confirm(
          userId,
          enrolled,
          sessionId,
          async (factor) => this.notices.factorAdds(user, factor, origin, deadline),
          deadline,
        ),
      (result) => typeof result === 'object',
    );
  }

  /** Begins the enrolment of a passkey. @returns the options for the browser */
  async beginPasskey(
    { userId, sessionId, user }: Owner,
    deadline: Deadline,
  ): Promise<PasskeyOutcome> {
    const existing = await this.factors.list(userId, deadline);
    const states = await Promise.all(
      existing.filter(({ type }) => type === PASSKEY).map((one) => this.factors.unseal(one)),
    );
    const { state, options } = await this.passkeys.enrol(user, states, this.clock.now());
    const owner = { userId, sessionId, user };
    const begun = await this.begin(owner, { type: PASSKEY, state }, deadline);
    return begun.outcome === 'begun' ? { outcome: 'begun', options } : begun;
  }

  /** Creates recovery codes, which replace the former ones. */
  async createCodes(
    { userId, sessionId, user }: Owner,
    origin: Origin,
    deadline: Deadline,
  ): Promise<CodesOutcome> {
    const existing = await this.factors.list(userId, deadline);
    if (existing.every(({ type }) => type === RECOVERY_CODE)) {
      return { outcome: 'no-second-factor' };
    }
    const { isOnly } = this.codes;
    const { codes, state } = this.codes.create();
    const factor = {
      id: randomUUID(),
      type: RECOVERY_CODE,
      name: '',
      isConfirmed: true,
      state: await this.factors.seal(state),
    };
    await this.notices.recoveryCodesAdd(user, factor.id, origin, deadline);
    const result = await this.audit.recordChange(
      [{ type: 'recovery-codes-created', userId, ...origin.facts }],
      async () => this.writer.addDependent(userId, factor, isOnly, sessionId, deadline),
      (outcome) => outcome === 'changed',
    );
    return result === 'changed' ? { outcome: 'created', codes } : { outcome: result };
  }

  /**
   * Removes a factor. The removal of an enrolment that is not confirmed sends no notice and ends no session.
   *
   * @returns `unknown`: there is no such factor. `ended`: the session has ended
   */
  async remove(
    { userId, sessionId, user }: Owner,
    factorId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<'removed' | 'unknown' | 'ended'> {
    const factor = (await this.factors.list(userId, deadline)).find(({ id }) => id === factorId);
    if (factor) {
      await this.notices.factorRemoves(user, factor, origin, deadline);
    }
    const effect = { exceptSessionId: sessionId };
    const result = await this.audit.recordChange(
      factor ? [{ type: 'factor-removed', userId, ...origin.facts, details: { factorId } }] : [],
      async () => this.writer.remove(userId, factorId, RECOVERY_CODE, effect, deadline),
      ({ outcome }) => outcome === 'changed',
    );
    switch (result.outcome) {
      case 'changed':
        return 'removed';
      case 'ended':
        return 'ended';
      case 'unknown':
      case 'protected':
        return 'unknown';
    }
  }
}
