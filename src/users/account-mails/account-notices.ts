import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import { languageOf } from '../../common/problem/index.js';
import { RECOVERY_CODE, type FactorNotices } from '../../credentials/index.js';
import { MailOutbox } from '../../mail/index.js';
import type { User } from '../user.js';

/** Longer than a change of a user takes. When the notice is sent, it is known whether the change was made. */
const AFTER_CHANGE_MS = 10_000;

type Recipient = Pick<User, 'id' | 'verifiedEmail'>;

/**
 * Notices of security events, for the confirmed address of a user (OWASP ASVS 6.3.7). A notice of a change is stored before the change
 * is made, so that no crash loses it, and sent only if the change was made: see `AccountMailComposers`.
 */
@Injectable()
export class AccountNotices implements FactorNotices {
  private readonly logger = new Logger('Mail');

  constructor(
    private readonly outbox: MailOutbox,
    private readonly clock: Clock,
  ) {}

  /**
   * Call it before the change.
   *
   * @param passwordVersion the version of the new password
   * @throws NotConfirmedError
   */
  async passwordChanges(
    user: Recipient,
    passwordVersion: number,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const id = `password-changed.${user.id}.${passwordVersion}`;
    const data = { passwordVersion };
    await this.add('password-changed', id, user, data, origin, deadline, AFTER_CHANGE_MS);
  }

  /**
   * Call it before the change. The notice goes to the former address.
   *
   * @param user before the change
   * @param noticeId a UUID. A notice with the same id is sent once
   * @throws NotConfirmedError
   */
  async emailChanges(
    user: Recipient,
    newEmail: string | null,
    noticeId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const id = `email-changed.${noticeId}`;
    await this.add('email-changed', id, user, { newEmail }, origin, deadline, AFTER_CHANGE_MS);
  }

  /** @throws NotConfirmedError */
  async emailChangeRequested(
    user: Recipient,
    newEmail: string,
    requestId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const id = `email-change-requested.${requestId}`;
    await this.add('email-change-requested', id, user, { newEmail }, origin, deadline);
  }

  /** Never throws: the user has logged in. */
  async loggedInOnNewDevice(
    user: Recipient,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    await this.addOrWarn('new-device', sessionId, user, origin, deadline);
  }

  async factorAdds(
    user: Recipient,
    factor: { readonly id: string; readonly type: string },
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    await this.addOfFactor('factor-added', user, factor, origin, deadline);
  }

  async factorRemoves(
    user: Recipient,
    factor: { readonly id: string; readonly type: string } | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    await this.addOfFactor('factor-removed', user, factor, origin, deadline);
  }

  async recoveryCodesAdd(
    user: Recipient,
    id: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const factor = { id, type: RECOVERY_CODE };
    await this.addOfFactor('recovery-codes-created', user, factor, origin, deadline);
  }

  async recoveryCodeUsed(user: Recipient, origin: Origin, deadline: Deadline): Promise<void> {
    await this.addOrWarn('recovery-code-used', randomUUID(), user, origin, deadline);
  }

  /** A repeated change has a notice of its own, because the first one may not have been made. */
  private async addOfFactor(
    kind: string,
    user: Recipient,
    factor: { readonly id: string; readonly type: string } | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const id = `${kind}.${randomUUID()}`;
    const data = { factorId: factor?.id, factor: factor?.type };
    await this.add(kind, id, user, data, origin, deadline, AFTER_CHANGE_MS);
  }

  private async addOrWarn(
    kind: string,
    eventId: string,
    user: Recipient,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const data = { ip: origin.facts.ip, userAgent: origin.userAgent };
    const id = `${kind}.${eventId}`;
    await this.add(kind, id, user, data, origin, deadline).catch(({ message }: Error) =>
      this.logger.warn(`The notice ${kind} was not stored: ${message}`),
    );
  }

  private async add(
    kind: string,
    id: string,
    { id: userId, verifiedEmail }: Recipient,
    data: Readonly<Record<string, unknown>>,
    origin: Origin,
    deadline: Deadline,
    delayMs = 0,
  ): Promise<void> {
    if (!this.outbox.isConfigured || typeof verifiedEmail !== 'string') {
      return;
    }
    const facts = {
      userId,
      // The address may change before the notice is sent.
      to: verifiedEmail,
      at: this.clock.now(),
      language: languageOf(origin.acceptLanguage),
    };
    await this.outbox.add({ id, kind, data: { ...data, ...facts }, delayMs }, deadline);
  }
}
