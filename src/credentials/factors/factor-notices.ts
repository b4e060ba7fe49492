import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Factor } from '../../user-slot/read/index.js';

export interface NoticeRecipient {
  readonly id: string;
  /** Nothing is sent to an address that the user has not confirmed. */
  readonly verifiedEmail?: string | null | undefined;
}

type ChangedFactor = Pick<Factor, 'id' | 'type'>;

/**
 * Tells users about changes of their factors. The module `users` implements it. Call a method about a change before the change: the
 * notice is sent only if the change was made. All methods but `recoveryCodeUsed` throw NotConfirmedError.
 */
export interface FactorNotices {
  factorAdds(
    user: NoticeRecipient,
    factor: ChangedFactor,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void>;

  /** @param factor undefined: all */
  factorRemoves(
    user: NoticeRecipient,
    factor: ChangedFactor | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void>;

  /** @param factorId id of the new recovery codes */
  recoveryCodesAdd(
    user: NoticeRecipient,
    factorId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void>;

  /** Call it after the use. Never throws: the code is spent. */
  recoveryCodeUsed(user: NoticeRecipient, origin: Origin, deadline: Deadline): Promise<void>;
}

export const FACTOR_NOTICES = Symbol('FACTOR_NOTICES');
