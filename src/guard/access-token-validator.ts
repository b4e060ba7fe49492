import { Inject, Injectable } from '@nestjs/common';

import type { ClientPrincipal, Principal } from '../common/authentication/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { LookupBudget } from '../common/lookup-budget/index.js';
import { KeyRing, type PublicKeys } from '../keys/read/index.js';
import {
  acceptsToken,
  ServiceAccountReader,
  type AccountState,
} from '../service-accounts/read/index.js';
import { SessionReader, type SessionState } from '../user-slot/read/index.js';
import { GUARD_OPTIONS } from './guard.module-definition.js';
import { ANY_AUDIENCE, GUARD_DEFAULTS, type GuardOptions } from './guard.options.js';
import { credentialsOf, tokenIn } from './bearer-token.js';
import type { AccessTokenClaims } from './claims.js';
import { checkForm, hasValidSignature } from './presented-token.js';
import {
  VerifiedTokens,
  type ClientToken,
  type UserToken,
  type VerifiedToken,
} from './verified-tokens.js';

/**
 * Decides whether an access token is accepted.
 *
 * Warm: this instance has verified the signature before. It checks expiry, key, session and token id in memory. Cold: it checks
 * form and claims strictly. Then one round trip returns whether any instance has verified the token before, and whether its
 * session is live. If no instance has verified the signature yet, it is checked after that round trip, or before it while there
 * are many forged tokens.
 *
 * The token of a service account has no session. Its signature is checked first, and then the account is read, which usually is
 * in memory.
 */
@Injectable()
export class AccessTokenValidator {
  private readonly audience: string | undefined;
  private readonly budget: LookupBudget;

  constructor(
    private readonly ring: KeyRing,
    private readonly sessions: SessionReader,
    private readonly accounts: ServiceAccountReader,
    private readonly verified: VerifiedTokens,
    private readonly clock: Clock,
    @Inject(GUARD_OPTIONS)
    options: { readonly audience?: GuardOptions['audience'] | typeof ANY_AUDIENCE },
  ) {
    const { audience = GUARD_DEFAULTS.audience } = options;
    this.audience = audience === ANY_AUDIENCE ? undefined : audience;
    this.budget = new LookupBudget(clock);
  }

  /** @returns the principal, if the token can be accepted from memory alone; undefined if `validate` must decide */
  recall(token: string): Principal | undefined {
    return this.recallCredentials(credentialsOf(token));
  }

  /**
   * The same for the value of an `Authorization` header, without taking the token out of it.
   *
   * @param credentials found only in the form `Bearer <token>`
   */
  recallCredentials(credentials: string): Principal | undefined {
    const verified = this.verified.get(credentials);
    const keys = verified && this.ring.recall();
    if (!keys || !this.isStillValid(verified, keys)) {
      return undefined;
    }
    if ('account' in verified) {
      const account = this.accounts.recall(verified.account);
      return account && this.clientOf(verified, account);
    }
    const state = this.sessions.recall(verified.session);
    return state && principalOf(verified, state);
  }

  /**
   * @param onLookup called when this call asks Redis about the token, but not when it shares the look-up of another request
   * @returns the principal, or undefined when the token is not accepted
   * @throws RedisUnavailableError when Redis is needed and does not answer. The request must be rejected
   */
  async validate(
    token: string,
    deadline: Deadline,
    onLookup: () => void = () => undefined,
  ): Promise<Principal | undefined> {
    const keys = await this.ring.current(deadline);
    const known = this.verified.get(credentialsOf(token));
    const candidate = known && this.isStillValid(known, keys) ? known : this.check(token, keys);
    if (!candidate) {
      return undefined;
    }
    if ('account' in candidate) {
      return this.validateClient(candidate, known === candidate, keys, deadline, onLookup);
    }
    const state =
      known === candidate
        ? await this.ask(candidate, true, deadline, { onLookup })
        : await this.verify(candidate, keys, deadline, onLookup);
    if (!state) {
      return undefined;
    }
    this.verified.add(candidate);
    return principalOf(candidate, state);
  }

  /**
   * Checks everything except whether the session or the service account still accepts the token.
   *
   * @returns the claims of a token that Keyslot has issued and that has not expired
   * @throws RedisUnavailableError when the keys cannot be read
   */
  async claimsOf(token: string, deadline: Deadline): Promise<AccessTokenClaims | undefined> {
    const keys = await this.ring.current(deadline);
    const known = this.verified.get(credentialsOf(token));
    const candidate = known && this.isStillValid(known, keys) ? known : this.check(token, keys);
    const isIssued =
      candidate !== undefined &&
      (candidate === known || (await this.hasValidSignature(candidate, keys)));
    return isIssued ? candidate.claims : undefined;
  }

  private async validateClient(
    token: ClientToken,
    isVerified: boolean,
    keys: PublicKeys,
    deadline: Deadline,
    onLookup: () => void,
  ): Promise<Principal | undefined> {
    if (!isVerified && !(await this.hasValidSignature(token, keys))) {
      return undefined;
    }
    const state = await this.accounts.stateOf(token.claims.sub, deadline, onLookup);
    this.verified.add(token);
    return this.clientOf(token, state);
  }

  private clientOf(
    { claims, scope }: ClientToken,
    account: AccountState,
  ): ClientPrincipal | undefined {
    if (
      !acceptsToken(account, claims.epoch, claims.jti) ||
      !this.isForAccount(claims.aud, account.audiences)
    ) {
      return undefined;
    }
    const { permissions } = account;
    return {
      kind: 'client',
      clientId: claims.sub,
      tokenId: claims.jti,
      epoch: claims.epoch,
      expiresAtSeconds: claims.exp,
      permissions: scope ? permissions.filter((one) => scope.has(one)) : permissions,
    };
  }

  /** For any audience, every one of the token's: a service may read only its own from the answer of an introspection. */
  private isForAccount(aud: AccessTokenClaims['aud'], audiences: readonly string[]): boolean {
    return this.audience === undefined
      ? [aud].flat().every((one) => audiences.includes(one))
      : audiences.includes(this.audience);
  }

  /** @returns the state of the session, if Redis knows the token as verified or its signature is valid */
  private async verify(
    candidate: UserToken,
    keys: PublicKeys,
    deadline: Deadline,
    onLookup: () => void,
  ): Promise<SessionState | undefined> {
    if (!this.budget.take()) {
      return (await this.hasValidSignature(candidate, keys))
        ? this.ask(candidate, true, deadline, { onLookup })
        : undefined;
    }
    let isForged = false;
    try {
      let isKnown = false;
      const onKnown = (): boolean => (isKnown = true);
      const state = await this.ask(candidate, false, deadline, { onLookup, onKnown });
      // A session state from memory does not prove that this token was verified.
      isForged = !isKnown && !(await this.hasValidSignature(candidate, keys));
      if (isForged) {
        return undefined;
      }
      return state.state === 'unverified'
        ? await this.ask(candidate, true, deadline, { onLookup })
        : state;
    } finally {
      if (!isForged) {
        this.budget.giveBack();
      }
    }
  }

  private check(token: string, keys: PublicKeys): VerifiedToken | undefined {
    return checkForm(token, keys, {
      audience: this.audience,
      nowSeconds: this.clock.nowSeconds(),
    });
  }

  /** Checks what may have changed since the token was verified: its expiry and its key. */
  private isStillValid({ claims, kid, key }: VerifiedToken, keys: PublicKeys): boolean {
    return claims.exp > this.clock.nowSeconds() && keys.byId.get(kid) === key;
  }

  /**
   * @param onLookup called when this call asks Redis
   * @param onKnown called when Redis knows this token as verified
   */
  private async ask(
    { credentials, claims, session }: UserToken,
    isVerified: boolean,
    deadline: Deadline,
    { onLookup, onKnown }: { onLookup: () => void; onKnown?: () => void },
  ): Promise<SessionState> {
    return this.sessions.stateOf(session, isVerified, async (read) => {
      onLookup();
      const presented = {
        token: tokenIn(credentials),
        userId: claims.sub,
        sessionId: claims.sid,
      };
      const state = await this.sessions.use(presented, isVerified, deadline, read);
      if (state.state !== 'unverified') {
        onKnown?.();
      }
      return state;
    });
  }

  private async hasValidSignature(token: VerifiedToken, keys: PublicKeys): Promise<boolean> {
    return hasValidSignature(token, keys, { audience: this.audience, nowMs: this.clock.now() });
  }
}

function principalOf({ claims, scope }: UserToken, state: SessionState): Principal | undefined {
  const { sub: userId, sid: sessionId, jti: tokenId, auth_time: authTime } = claims;
  if (state.state !== 'live' || state.revokedTokens.has(tokenId)) {
    return undefined;
  }
  const { user } = state;
  return scope
    ? { kind: 'user', userId, sessionId, tokenId, authTime, user, scope }
    : { kind: 'user', userId, sessionId, tokenId, authTime, user };
}
