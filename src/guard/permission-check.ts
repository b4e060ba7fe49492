import { Inject, Injectable, Logger, Optional } from '@nestjs/common';

import {
  isPermission,
  PERMISSION_REFUSALS,
  type Permission,
  type PermissionRefusal,
  type PermissionRefusals,
  type Principal,
} from '../common/authentication/index.js';
import { deadlineOf } from '../common/deadline/index.js';
import { originOf } from '../common/origin/index.js';
import { Problem } from '../common/problem/index.js';
import { RoleReader } from '../roles/read/index.js';
import { mayUse, recallMayUse } from './may-use.js';
import { lacksSecondFactor, recallLacksSecondFactor } from './second-factor-rule.js';

/** Limits of a recorded refusal, because the caller chooses the permissions in a request of a proxy. */
const MAX_RECORDED = 20;
const MAX_RECORDED_CHARACTERS = 256;
/** As short as the deadline of a read request, because other requests may share the look-up. */
const LOOKUP_TIMEOUT_MS = 1800;

/** A request of any transport, after JwtAuthGuard. */
export type AuthenticatedRequest = Parameters<typeof deadlineOf>[0] &
  Omit<Parameters<typeof originOf>[0], 'user'> & { readonly user: Principal };

/** Decides whether the caller of a request has the required permissions and the required second factor, and records each refusal. */
@Injectable()
export class PermissionCheck {
  constructor(
    private readonly roles: RoleReader,
    @Optional()
    @Inject(PERMISSION_REFUSALS)
    private readonly refusals: PermissionRefusals = new LoggedRefusals(),
  ) {}

  /**
   * Requires all of the permissions. It uses the current roles of the user and their current permissions (or the permissions of
   * the client), never the claims of the token. It decides synchronously while the roles are in memory.
   *
   * @param request after JwtAuthGuard
   * @throws Problem `forbidden`
   * @throws RedisUnavailableError when the roles cannot be read
   */
  require(request: AuthenticatedRequest, permissions: readonly Permission[]): true | Promise<true> {
    const isAllowed = recallMayUse(request.user, permissions, this.roles);
    return isAllowed === undefined
      ? this.decideLater(request, permissions)
      : this.decide(isAllowed, request, permissions);
  }

  /**
   * Requires that the user has a second factor, if a current role of the user requires one.
   *
   * @param request after JwtAuthGuard
   * @throws Problem `second-factor-enrolment-required`
   * @throws RedisUnavailableError when the roles cannot be read
   */
  async requireSecondFactor(request: AuthenticatedRequest): Promise<void> {
    const deadline = deadlineOf(request).within(LOOKUP_TIMEOUT_MS);
    if (await lacksSecondFactor(request.user, this.roles, deadline)) {
      this.refuse('missing-second-factor', request);
      throw new Problem('second-factor-enrolment-required');
    }
  }

  /**
   * Requires a token without a scope.
   *
   * @param request after JwtAuthGuard
   * @throws Problem `unlimited-token-required`
   */
  requireUnlimitedToken(request: AuthenticatedRequest): void {
    if (isLimited(request.user)) {
      this.refuse('limited-token', request);
      throw new Problem('unlimited-token-required');
    }
  }

  /** @returns whether a call of `requireSecondFactor` is needed. Costs nothing for most users */
  mayLackSecondFactor(principal: Principal): boolean {
    return recallLacksSecondFactor(principal, this.roles) !== false;
  }

  private async decideLater(
    request: AuthenticatedRequest,
    permissions: readonly Permission[],
  ): Promise<true> {
    const deadline = deadlineOf(request).within(LOOKUP_TIMEOUT_MS);
    const isAllowed = await mayUse(request.user, permissions, this.roles, deadline);
    return this.decide(isAllowed, request, permissions);
  }

  private decide(
    isAllowed: boolean,
    request: AuthenticatedRequest,
    permissions: readonly Permission[],
  ): true {
    if (isAllowed) {
      return true;
    }
    const required = recordedOf(permissions);
    this.refuse('missing-permission', request, required);
    throw new Problem('forbidden');
  }

  private refuse(
    reason: PermissionRefusal['reason'],
    request: AuthenticatedRequest,
    required: readonly Permission[] = [],
  ): void {
    const { user: principal } = request;
    this.refusals.record({ principal, reason, required, origin: originOf(request) });
  }
}

/** Whether a scope limits the token of a user. */
export function isLimited(principal: Principal): boolean {
  return principal.kind === 'user' && principal.scope !== undefined;
}

/** The first names that have the form of a permission. Others would make the record longer, and mean nothing. */
function recordedOf(permissions: readonly Permission[]): readonly Permission[] {
  let characters = 0;
  return permissions
    .filter(isPermission)
    .slice(0, MAX_RECORDED)
    .filter((name) => (characters += name.length) <= MAX_RECORDED_CHARACTERS);
}

/** For an application without AuditModule. */
class LoggedRefusals implements PermissionRefusals {
  private readonly logger = new Logger('Permissions');

  record({ reason, required, origin }: PermissionRefusal): void {
    this.logger.log({ msg: 'A caller may not do this.', reason, required, ...origin.facts });
  }
}
